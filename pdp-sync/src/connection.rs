//! What whoever runs pdp-sync says of connections: tokens, and what is allowed beyond the rule.

use std::path::PathBuf;

use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::oci::Repository;
use pdp_transport::{Exceptions, HttpOptions, parse_host};
use url::Url;

/// Flags and variables; the same for a file and for a cluster.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ConnectionArgs {
    /// Token for the customer's repository, and for the catalog's Git host if that is the same host. Git's credential
    /// helpers are asked without one.
    #[arg(long, env = "PDP_SYNC_GIT_TOKEN", hide_env_values = true, hide = true)]
    git_token: Option<String>,
    /// Token for the catalog's Git host.
    #[arg(long, env = "PDP_SYNC_CATALOG_GIT_TOKEN", hide_env_values = true, hide = true)]
    catalog_git_token: Option<String>,
    /// An address that may be spoken to in plain HTTP; no login is sent there.
    #[arg(long, env = "PDP_SYNC_ALLOW_HTTP", value_name = "HOST[:PORT]", value_delimiter = ',')]
    allow_http: Vec<String>,
    /// A token service elsewhere that may have a registry's login.
    #[arg(
        long = "token-host",
        env = "PDP_SYNC_TOKEN_HOSTS",
        value_name = "REGISTRY=HOST",
        value_delimiter = ','
    )]
    token_hosts: Vec<String>,
    /// The only hosts that subscriptions may name; any if none is listed.
    #[arg(
        long = "allowed-host",
        env = "PDP_SYNC_ALLOWED_HOSTS",
        value_name = "HOST[:PORT]",
        value_delimiter = ','
    )]
    allowed_hosts: Vec<String>,
}

/// The same, checked.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    git_token: Option<String>,
    catalog_git_token: Option<String>,
    exceptions: Exceptions,
    /// `host[:port]`, in lower case.
    allowed_hosts: Vec<String>,
}

impl Connection {
    /// # Errors
    /// `BadReference` for a word that isn't `host[:port]`.
    pub(crate) fn new(args: &ConnectionArgs) -> Result<Self> {
        let words = args.allowed_hosts.iter().filter(|word| !word.trim().is_empty());
        // An address over https doesn't name its usual port.
        let allowed = words.map(|word| parse_host(word.trim().strip_suffix(":443").unwrap_or(word)));
        Ok(Self {
            git_token: args.git_token.clone().filter(|token| !token.is_empty()),
            catalog_git_token: args.catalog_git_token.clone().filter(|token| !token.is_empty()),
            exceptions: Exceptions::parse(&args.allow_http, &args.token_hosts)?,
            allowed_hosts: allowed.collect::<std::result::Result<_, _>>()?,
        })
    }

    /// The same without a token: which hosts are allowed, and how.
    pub(crate) fn without_tokens(&self) -> Self {
        Self { git_token: None, catalog_git_token: None, ..self.clone() }
    }

    /// How to reach the world, with these further CAs.
    pub(crate) fn http(&self, ca: &[PathBuf]) -> HttpOptions {
        let mut options = HttpOptions::new(ca.to_vec(), self.exceptions.clone());
        // Tests of silent servers needn't wait for half a minute.
        if cfg!(debug_assertions)
            && let Some(seconds) = std::env::var("PDP_READ_TIMEOUT").ok().and_then(|text| text.parse().ok())
        {
            options.silence = std::time::Duration::from_secs(seconds);
        }
        options
    }

    /// The target's token, and the catalog's.
    pub(crate) fn git_tokens(&self) -> (Option<&str>, Option<&str>) {
        (self.git_token.as_deref(), self.catalog_git_token.as_deref())
    }

    /// Whether a subscription may name this address.
    ///
    /// # Errors
    /// `HostNotAllowed`.
    pub(crate) fn check(&self, field: &str, url: &str) -> Result<()> {
        let host = Url::parse(url).ok().as_ref().and_then(pdp_transport::address).unwrap_or_default();
        if self.allowed_hosts.is_empty() || self.allowed_hosts.contains(&host) {
            return Ok(());
        }
        Err(Failure::new("HostNotAllowed", format!("{field}: `{host}`"))
            .cause("the administrator of this pdp-sync doesn't list this host")
            .hint("name a listed host, or have it added (PDP_SYNC_ALLOWED_HOSTS; chart value allowedHosts)"))
    }

    /// As [`Connection::check`].
    pub(crate) fn check_repository(&self, field: &str, repository: &Repository) -> Result<()> {
        self.check(field, repository.origin(&self.exceptions)?.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn subscriptions_name_listed_hosts_alone() {
        let connection = Connection {
            git_token: None,
            catalog_git_token: None,
            exceptions: Exceptions::default(),
            allowed_hosts: vec!["git.example".into(), "registry.example:5000".into()],
        };
        for (url, allowed) in [
            ("https://git.example/catalog", true),
            ("https://GIT.example:443/catalog", true),
            ("https://git.example:8443/catalog", false),
            ("https://evil.example/git.example", false),
            ("https://git.example@evil.example/", false),
            ("/srv/catalog", false),
            ("", false),
        ] {
            assert_eq!(connection.check("x", url).is_ok(), allowed, "{url}");
        }
        let repository = |text: &str| text.parse::<Repository>().unwrap();
        assert!(connection.check_repository("x", &repository("registry.example:5000/a")).is_ok());
        assert!(connection.check_repository("x", &repository("registry.example/a")).is_err());
    }
}
