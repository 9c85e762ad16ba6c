//! How registries and Git hosts are reached: private CAs, and what is allowed beyond the rule.

use std::path::PathBuf;

use pdp_transport::cli::failure::Result;
use pdp_transport::oci::{OciOptions, Registry};
use pdp_transport::{Exceptions, HttpOptions, LoginSource};

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

    /// Registries, with the logins of whoever runs the program.
    pub(crate) fn registry(&self) -> Result<Registry> {
        Ok(Registry::new(&OciOptions { http: self.http()?, login: LoginSource::Helpers })?)
    }
}
