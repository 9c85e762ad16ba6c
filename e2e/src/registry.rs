//! A real OCI registry in this process.

use std::sync::{Arc, PoisonError};

use anyhow::Result;
use ferro_blob_store::InMemoryBlobStore;
use ferro_oci_server::{AppState, router};

use crate::content::Content;
use crate::exchange::Exchange;
use crate::fault::Faults;
use crate::login::Login;
use crate::server::{Gate, Server};

/// An OCI registry on 127.0.0.1, in memory.
#[derive(Debug)]
pub struct Registry {
    server: Server,
    gate: Gate,
    content: Content,
}

impl Registry {
    /// Starts an empty registry.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> Result<Self> {
        let content = Content::default();
        let state = AppState::new(Arc::new(InMemoryBlobStore::new()), content.manifests.clone());
        let gate = Gate::default();
        Ok(Self { server: Server::start(router(state), gate.clone())?, gate, content })
    }

    /// `127.0.0.1:port`.
    pub fn host(&self) -> String {
        self.server.address().to_string()
    }

    /// Its faults.
    pub fn faults(&self) -> &Faults {
        &self.gate.faults
    }

    /// What it was asked and answered since the last call.
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        self.gate.exchanges.take()
    }

    /// Its content, as whoever owns the registry sees and changes it.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// Asks for this login from now on.
    pub fn require(&self, login: Option<Login>) {
        *self.gate.login.lock().unwrap_or_else(PoisonError::into_inner) = login;
    }

    /// Behaves like a registry that knows no referrers API.
    pub fn without_referrers(&self, yes: bool) {
        *self.gate.without_referrers.lock().unwrap_or_else(PoisonError::into_inner) = yes;
    }

    /// Ends it; what it holds stays.
    pub fn stop(&self) {
        self.server.stop();
    }

    /// Starts it again on its port with all it held.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn restart(&self) -> Result<()> {
        self.server.restart()
    }
}
