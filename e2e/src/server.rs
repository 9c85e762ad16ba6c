//! A server on loopback with faults and logins, which can be stopped and started again on its port.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::middleware::{self, Next};
use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::runtime::Runtime;

use crate::fault::Faults;

/// What a server asks for before it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// User and password with each request.
    Basic(String, String),
    /// A token from the server's own `/token`, given for user and password.
    Token(String, String),
}

/// One running (or stopped) server.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    app: Router,
    runtime: Mutex<Option<Runtime>>,
}

/// What the layer around every server looks at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate {
    pub(crate) faults: Faults,
    pub(crate) login: Arc<Mutex<Option<Login>>>,
    pub(crate) without_referrers: Arc<Mutex<bool>>,
}

const TOKEN: &str = "Bearer a-token-of-the-test-registry";

impl Server {
    /// Starts `app` behind `gate` on a free port of 127.0.0.1.
    pub(crate) fn start(app: Router, gate: Gate) -> Result<Self> {
        let app = app.layer(middleware::from_fn_with_state(gate, guard));
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("bind a port")?;
        let address = listener.local_addr()?;
        let server = Self { address, app, runtime: Mutex::new(None) };
        server.serve(listener)?;
        Ok(server)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends the server and all its connections.
    pub(crate) fn stop(&self) {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runtime) = runtime {
            runtime.shutdown_timeout(Duration::from_secs(1));
        }
    }

    /// Starts it again on the same port.
    pub(crate) fn restart(&self) -> Result<()> {
        self.stop();
        self.serve(std::net::TcpListener::bind(self.address).context("bind the same port again")?)
    }

    fn serve(&self, listener: std::net::TcpListener) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        listener.set_nonblocking(true)?;
        let app = self.app.clone();
        let guard = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        drop(guard);
        runtime.spawn(async move { axum::serve(listener, app).await });
        *self.runtime.lock().unwrap_or_else(PoisonError::into_inner) = Some(runtime);
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take() {
            runtime.shutdown_background();
        }
    }
}

/// Login, faults, and the registry's missing referrers API, in front of the real server.
async fn guard(State(gate): State<Gate>, request: Request, next: Next) -> Response<Body> {
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let harm = gate.faults.meet(&method, &path);
    let login = gate.login.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(refusal) = login.and_then(|login| refusal(&login, &request)) {
        return refusal;
    }
    if let Some(harm) = harm.filter(|harm| harm.replaces()) {
        return harm.answer(StatusCode::OK, None, &axum::body::Bytes::new());
    }
    let without_referrers = *gate.without_referrers.lock().unwrap_or_else(PoisonError::into_inner);
    if without_referrers && path.contains("/referrers/") {
        return answer(StatusCode::NOT_FOUND, Body::empty());
    }
    let mut real = next.run(request).await;
    if without_referrers {
        real.headers_mut().remove("oci-subject");
    }
    let Some(harm) = harm else { return real };
    let (parts, body) = real.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE).cloned();
    match to_bytes(body, 1 << 28).await {
        Ok(bytes) => harm.answer(parts.status, kind, &bytes),
        Err(_) => answer(StatusCode::INTERNAL_SERVER_ERROR, Body::empty()),
    }
}

/// The answer to a request without login; the token itself for `/token`.
fn refusal(login: &Login, request: &Request) -> Option<Response<Body>> {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let host = request.headers().get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let basic =
        |user: &str, password: &str| format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    match login {
        Login::Basic(user, password) if given == Some(&basic(user, password)) => None,
        Login::Basic(..) => Some(challenge("Basic realm=\"test\"")),
        Login::Token(user, password) if request.uri().path() == "/token" => {
            let known = given == Some(&basic(user, password));
            let token = TOKEN.trim_start_matches("Bearer ");
            Some(match known {
                true => answer(StatusCode::OK, Body::from(format!("{{\"token\":\"{token}\"}}"))),
                false => answer(StatusCode::UNAUTHORIZED, Body::empty()),
            })
        }
        Login::Token(..) if given == Some(TOKEN) => None,
        Login::Token(..) => {
            Some(challenge(&format!("Bearer realm=\"http://{host}/token\",service=\"test\"")))
        }
    }
}

fn challenge(text: &str) -> Response<Body> {
    let mut refusal = answer(StatusCode::UNAUTHORIZED, Body::empty());
    if let Ok(value) = HeaderValue::from_str(text) {
        refusal.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    refusal
}

pub(crate) fn answer(status: StatusCode, body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}
