//! A real OCI registry in this process.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use ferro_blob_store::InMemoryBlobStore;
use ferro_oci_server::{AppState, router};

use crate::content::Content;
use crate::exchange::Exchange;
use crate::fault::Faults;
use crate::habits::Habits;
use crate::login::Login;
use crate::server::{Gate, Server, Tags};
use crate::token_service::lock;

/// An OCI registry on 127.0.0.1, in memory.
#[derive(Debug)]
pub struct Registry {
    server: Server,
    gate: Gate,
    content: Content,
    app: Router,
}

impl Registry {
    /// Starts an empty registry.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> Result<Self> {
        let content = Content::default();
        let state = AppState::new(Arc::new(InMemoryBlobStore::new()), content.manifests.clone());
        Self::serve(router(state), content)
    }

    /// Another door to the same content, with logins, faults and habits of its own: an upload host, for one.
    ///
    /// # Errors
    /// When no port is free.
    pub fn beside(&self) -> Result<Self> {
        Self::serve(self.app.clone(), self.content.clone())
    }

    fn serve(app: Router, content: Content) -> Result<Self> {
        let gate = Gate { tags: Tags(Some(content.clone())), ..Gate::default() };
        Ok(Self { server: Server::start(app.clone(), gate.clone())?, gate, content, app })
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
        *lock(&self.gate.login) = login;
    }

    /// Behaves like a registry that knows no referrers API.
    pub fn without_referrers(&self, yes: bool) {
        self.habits(|habits| habits.without_referrers = yes);
    }

    /// Changes its habits.
    pub fn habits(&self, change: impl FnOnce(&mut Habits)) {
        change(&mut lock(&self.gate.custom.habits));
    }

    /// How many requests were more than its rate.
    pub fn limited(&self) -> usize {
        self.gate.custom.limited()
    }

    /// How long its tokens live from now on.
    pub fn tokens_live_for(&self, life: Duration) {
        *lock(&self.gate.tokens.life) = life;
    }

    /// The scopes that its token service was asked for since the last call.
    pub fn take_scopes(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.gate.tokens.asked))
    }

    /// Every `Authorization` that it was sent since the last call, right or wrong.
    pub fn take_logins(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.gate.logins))
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
