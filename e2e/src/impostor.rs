//! A stolen channel server: it says what the thief wants.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};

use crate::fault::Faults;
use crate::server::{Gate, Server, answer};

type Answers = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A server on 127.0.0.1 that answers by the last word of the path: `enrolments`, `assignment`, `ready`.
#[derive(Debug)]
pub struct Impostor {
    server: Server,
    gate: Gate,
    answers: Answers,
}

impl Impostor {
    /// Starts one that says nothing yet; reports are taken and forgotten.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> Result<Self> {
        let (gate, answers) = (Gate::default(), Answers::default());
        let app = Router::new().fallback(say).with_state(answers.clone());
        Ok(Self { server: Server::start(app, gate.clone())?, gate, answers })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Answers so from now on.
    pub fn says(&self, what: &str, body: Vec<u8>) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(what.to_owned(), body);
    }

    /// Its faults.
    pub fn faults(&self) -> &Faults {
        &self.gate.faults
    }
}

async fn say(State(answers): State<Answers>, request: Request) -> Response<Body> {
    let what = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    if what == "reports" {
        return answer(StatusCode::NO_CONTENT, Body::empty());
    }
    match answers.lock().unwrap_or_else(PoisonError::into_inner).get(&what) {
        Some(body) => answer(StatusCode::OK, Body::from(body.clone())),
        None => answer(StatusCode::SERVICE_UNAVAILABLE, Body::empty()),
    }
}
