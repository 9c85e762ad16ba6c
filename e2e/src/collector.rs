//! A hostile server that keeps all it is sent, and asks everybody for a login.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::server::{Gate, Server, answer};

type Kept = Arc<Mutex<Vec<String>>>;

/// A server on 127.0.0.1 that answers 401 to everything.
#[derive(Debug)]
pub struct Collector {
    server: Server,
    kept: Kept,
}

impl Collector {
    /// Starts one.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> Result<Self> {
        let kept = Kept::default();
        let app = Router::new().fallback(keep).with_state(kept.clone());
        Ok(Self { server: Server::start(app, Gate::default())?, kept })
    }

    /// `127.0.0.1:port`.
    pub fn host(&self) -> String {
        self.server.address().to_string()
    }

    /// Each request as text: method, address, headers and body; logins are decoded.
    pub fn requests(&self) -> Vec<String> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True if anything that it was sent holds this text.
    pub fn has(&self, text: &str) -> bool {
        self.requests().iter().any(|request| request.contains(text))
    }
}

async fn keep(State(kept): State<Kept>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let mut text = format!("{} {}\n", parts.method, parts.uri);
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let plain = value.split_once(' ').and_then(|(_, coded)| STANDARD.decode(coded).ok());
        text += &format!("{name}: {value} {}\n", String::from_utf8_lossy(&plain.unwrap_or_default()));
    }
    let body = to_bytes(body, 1 << 24).await.unwrap_or_default();
    text += &String::from_utf8_lossy(&body);
    kept.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    let mut refusal = answer(StatusCode::UNAUTHORIZED, Body::empty());
    refusal.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"x\""));
    refusal
}
