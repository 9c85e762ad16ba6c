//! Charts that aren't in the line's folder. Nothing that isn't pinned gets into a build.

use std::path::Path;

use pdp_policies::Digest;
use pdp_transport::Web;
use pdp_transport::cli::failure::Failure;
use pdp_transport::oci::Registry;

use super::kept::Kept;
use super::origin::Origin;
use super::trouble::Trouble;
use super::{registry, repository};
use crate::connection::ConnectionArgs;

/// How to fetch charts. No connection is made, and no CA file read, before one is fetched.
#[derive(Debug)]
pub(crate) struct Fetch<'a> {
    connection: &'a ConnectionArgs,
    kept: Kept,
}

impl<'a> Fetch<'a> {
    /// What is fetched is kept in `folder`, if there is one.
    pub(crate) fn new(connection: &'a ConnectionArgs, folder: Option<&Path>) -> Self {
        Self { connection, kept: Kept::new(folder) }
    }

    /// The packed chart, as it was pinned.
    ///
    /// # Errors
    /// `UnpinnedChart` with the digest that is there, and what fetching can end with.
    pub(super) async fn chart(&self, origin: &Origin, version: &str) -> Result<Vec<u8>, Trouble> {
        match origin {
            Origin::Path(path) => {
                Err(Trouble::new(path, "NotFound", "it isn't fetched", "is the path right?"))
            }
            Origin::Registry { repository, digest } => {
                registry::chart(&self.registry()?, &self.kept, repository, version, digest.as_ref()).await
            }
            Origin::Repository { url, name, digest } => {
                repository::chart(&self.web()?, &self.kept, url, name, version, digest.as_ref()).await
            }
        }
    }

    pub(super) fn registry(&self) -> Result<Registry, Trouble> {
        self.connection.registry().map_err(failed)
    }

    pub(super) fn web(&self) -> Result<Web, Trouble> {
        self.connection.web().map_err(failed)
    }
}

/// A chart without a digest: what is there now.
pub(super) fn unpinned(what: &str, found: &Digest) -> Trouble {
    let message = format!("{what} isn't pinned; there it is {found} now");
    let hint = format!("if that is the one that its makers published, add `digest: {found}`");
    Trouble::new("chart", "UnpinnedChart", message, hint)
}

fn failed(failure: Failure) -> Trouble {
    Trouble::new("chart", "BadCredentials", failure.to_string(), "see --ca and --allow-http")
}
