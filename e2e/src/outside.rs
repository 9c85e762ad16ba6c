//! Servers that somebody else wrote, in place of the ones in this process.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;

/// What a world takes from outside; what isn't given runs in this process.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// The registry, as the programs take it: `host:port`, with `https://` before it for TLS on this machine.
    pub registry: Option<String>,
    /// The Git host of vendor and customers.
    pub git: Option<Arc<dyn GitSite>>,
    /// A file with the CA that the servers' certificates come from.
    pub ca: Option<PathBuf>,
    /// Further environment of all programs: logins, proxies.
    pub env: Vec<(String, String)>,
}

/// A Git host, as whoever administers it sees it.
pub trait GitSite: Debug + Send + Sync {
    /// Makes an empty repository that takes pushes; one that is there already stays.
    ///
    /// # Errors
    /// When the host doesn't make it.
    fn create(&self, name: &str) -> Result<()>;

    /// The address of a repository, for the programs.
    fn url(&self, name: &str) -> String;
}
