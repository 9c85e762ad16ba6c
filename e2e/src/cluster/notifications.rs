//! A stand-in for Flux's notification-controller: takes every event and remembers it.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;

use crate::fault::Faults;
use crate::server::{Gate, Server};

type Seen = Arc<Mutex<Vec<Value>>>;

/// A sink for Flux events; its address is what `--events-addr` takes.
#[derive(Debug)]
pub struct Notifications {
    server: Server,
    gate: Gate,
    seen: Seen,
}

impl Notifications {
    /// Starts it.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> Result<Self> {
        let (seen, gate) = (Seen::default(), Gate::default());
        let app = Router::new().route("/", post(take)).fallback(post(take)).with_state(seen.clone());
        Ok(Self { server: Server::start(app, gate.clone())?, gate, seen })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}/", self.server.address())
    }

    /// All events so far, the oldest first.
    pub fn all(&self) -> Vec<Value> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its faults.
    pub fn faults(&self) -> &Faults {
        &self.gate.faults
    }

    /// Ends it, as when notification-controller is away.
    pub fn stop(&self) {
        self.server.stop();
    }
}

async fn take(State(seen): State<Seen>, Json(event): Json<Value>) -> StatusCode {
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    StatusCode::ACCEPTED
}
