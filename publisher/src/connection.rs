//! How registries and Git hosts are reached: private CAs, and what is allowed beyond the rule.

use std::path::PathBuf;
use std::time::Duration;

use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::say;
use pdp_transport::oci::{OciOptions, Patience, Registry};
use pdp_transport::{Exceptions, HttpOptions, LoginSource, Web};

#[derive(Debug, clap::Args)]
pub(crate) struct ConnectionArgs {
    /// Further CA certificates (PEM).
    #[arg(long = "ca", env = "PUBLISHER_CA", value_name = "FILE")]
    ca: Vec<PathBuf>,
    /// An address that may be spoken to in plain HTTP; no login is sent there.
    #[arg(long, env = "PUBLISHER_ALLOW_HTTP", value_name = "HOST[:PORT]", value_delimiter = ',')]
    allow_http: Vec<String>,
    /// A token service elsewhere that may have a registry's login.
    #[arg(
        long = "token-host",
        env = "PUBLISHER_TOKEN_HOSTS",
        value_name = "REGISTRY=HOST",
        value_delimiter = ','
    )]
    token_hosts: Vec<String>,
}

impl ConnectionArgs {
    pub(crate) fn http(&self) -> Result<HttpOptions> {
        let exceptions = Exceptions::parse(&self.allow_http, &self.token_hosts)?;
        Ok(HttpOptions::new(self.ca.clone(), exceptions))
    }

    /// Web servers, with the logins of whoever runs the program, as Docker's config has them.
    pub(crate) fn web(&self) -> Result<Web> {
        Ok(Web::new(&self.http()?, LoginSource::Helpers)?)
    }

    /// Registries, with the logins of whoever runs the program.
    pub(crate) fn registry(&self) -> Result<Registry> {
        let registry = Registry::new(&OciOptions { http: self.http()?, login: LoginSource::Helpers })?;
        Ok(registry.patient(Patience::PUBLISH, waiting))
    }
}

/// Shown while a registry that has enough of us is waited for.
fn waiting(host: &str, wait: Duration) {
    say(&format!("◎ {host} allows no more requests now; waiting {} s", wait.as_secs_f64().ceil()));
}
