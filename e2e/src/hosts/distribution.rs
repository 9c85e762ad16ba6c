//! CNCF distribution: Debian's package of edition 2, and edition 3.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::Result;
use serde_json::{Value, json};

use super::certificate::Certificate;
use super::process::{installed, serve, tools};
use super::site::htpasswd;
use super::token_service::TokenService;
use crate::programs::{Running, free_port};
use crate::tools::Tools;

/// Which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// Debian's package `docker-registry`.
    Two,
    /// The Go module.
    Three,
}

/// Who may come in.
#[derive(Debug, Clone, Copy)]
pub enum Access<'a> {
    /// Everybody.
    Anonymous,
    /// Who has a password.
    Basic,
    /// Who has a token of this service.
    Token(&'a TokenService),
}

/// A registry of its own, empty. It ends with this value.
#[derive(Debug)]
pub struct Distribution {
    address: SocketAddr,
    _running: Running,
    _folder: tempfile::TempDir,
}

impl Edition {
    /// Its version.
    ///
    /// # Errors
    /// When it isn't installed.
    pub fn version(self) -> Result<String> {
        match self {
            Self::Two => super::debian_version("docker-registry"),
            Self::Three => Tools::version("distribution"),
        }
    }
}

impl Distribution {
    /// Starts one on 127.0.0.1.
    ///
    /// # Errors
    /// When it doesn't listen in time.
    pub fn start(edition: Edition, access: Access<'_>, tls: Option<&Certificate>) -> Result<Self> {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), edition, access, tls)
    }

    /// Starts one at an address of this machine.
    ///
    /// # Errors
    /// When it doesn't listen in time.
    pub fn start_at(
        ip: IpAddr,
        edition: Edition,
        access: Access<'_>,
        tls: Option<&Certificate>,
    ) -> Result<Self> {
        let folder = crate::reaper::folder("pdp-distribution-")?;
        let address = SocketAddr::new(ip, free_port()?);
        let passwords = folder.path().join("htpasswd");
        std::fs::write(&passwords, htpasswd())?;
        let mut config = json!({
            "version": "0.1", "log": { "level": "info" },
            "storage": { "filesystem": { "rootdirectory": folder.path().join("data") } },
            "http": { "addr": address.to_string() },
        });
        if let Some(tls) = tls {
            config["http"]["tls"] = json!({ "certificate": tls.certificate, "key": tls.key });
        }
        match access {
            Access::Anonymous => {}
            Access::Basic => config["auth"]["htpasswd"] = json!({ "realm": "registry", "path": passwords }),
            Access::Token(service) => config["auth"]["token"] = trust(service),
        }
        let file = folder.path().join("config.yml");
        // JSON is YAML.
        std::fs::write(&file, config.to_string())?;
        let mut command = match edition {
            Edition::Two => installed("docker-registry"),
            Edition::Three => tools().command("registry"),
        };
        command.arg("serve").arg(&file).env("OTEL_TRACES_EXPORTER", "none");
        let running = serve(command, folder.path(), ip, address.port())?;
        Ok(Self { address, _running: running, _folder: folder })
    }

    /// `address:port`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }
}

fn trust(service: &TokenService) -> Value {
    json!({
        "realm": service.realm(), "service": TokenService::SERVICE, "issuer": TokenService::ISSUER,
        "rootcertbundle": service.certificate(),
    })
}
