//! A plain web server with files, such as a chart repository.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, Uri};

use crate::exchange::Exchange;
use crate::fault::Faults;
use crate::login::Login;
use crate::server::{Gate, Server, answer};
use crate::token_service::lock;

type Files = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A web server on 127.0.0.1.
#[derive(Debug)]
pub struct WebHost {
    server: Server,
    gate: Gate,
    files: Files,
}

impl WebHost {
    /// Starts a server without files.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> Result<Self> {
        let (files, gate) = (Files::default(), Gate::default());
        let app = Router::new().fallback(file).with_state(files.clone());
        Ok(Self { server: Server::start(app, gate.clone())?, gate, files })
    }

    /// `127.0.0.1:port`.
    pub fn host(&self) -> String {
        self.server.address().to_string()
    }

    /// Serves `content` at `path`, which begins with `/`.
    pub fn put(&self, path: &str, content: &[u8]) {
        lock(&self.files).insert(path.to_owned(), content.to_vec());
    }

    /// Asks for this login from now on.
    pub fn require(&self, login: Option<Login>) {
        *lock(&self.gate.login) = login;
    }

    /// Its faults.
    pub fn faults(&self) -> &Faults {
        &self.gate.faults
    }

    /// What it was asked and answered since the last call.
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        self.gate.exchanges.take()
    }

    /// Every `Authorization` that came since the last call.
    pub fn take_logins(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.gate.logins))
    }

    /// Ends the server.
    pub fn stop(&self) {
        self.server.stop();
    }
}

async fn file(State(files): State<Files>, uri: Uri) -> Response<Body> {
    match lock(&files).get(uri.path()) {
        Some(content) => answer(StatusCode::OK, Body::from(content.clone())),
        None => answer(StatusCode::NOT_FOUND, Body::empty()),
    }
}
