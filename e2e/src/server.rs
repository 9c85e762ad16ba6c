//! A server on loopback with faults and logins, which can be stopped and started again on its port.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::serve::IncomingStream;
use tokio::runtime::Runtime;

use crate::exchange::{Exchange, Exchanges};
use crate::fault::{Faults, Harm};
use crate::login::{Login, refusal};

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
    pub(crate) exchanges: Exchanges,
    pub(crate) login: Arc<Mutex<Option<Login>>>,
    pub(crate) without_referrers: Arc<Mutex<bool>>,
}

/// A handle on the connection of a request, to close it without an answer.
#[derive(Debug, Clone)]
struct Connection(Option<Arc<OwnedFd>>);

impl Connected<IncomingStream<'_, tokio::net::TcpListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, tokio::net::TcpListener>) -> Self {
        Self(stream.io().as_fd().try_clone_to_owned().ok().map(Arc::new))
    }
}

impl Connection {
    fn close(&self) {
        let socket = self.0.as_ref().and_then(|socket| socket.try_clone().ok());
        if let Some(socket) = socket.map(std::net::TcpStream::from) {
            let _ = socket.shutdown(std::net::Shutdown::Both);
        }
    }
}

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
        let app = self.app.clone().into_make_service_with_connect_info::<Connection>();
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

/// What stands in front of the real server: it notes each exchange.
async fn guard(
    State(gate): State<Gate>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    // The real servers behind take whole bodies too.
    let Ok(body) = to_bytes(body, 1 << 28).await else {
        return answer(StatusCode::BAD_REQUEST, Body::empty());
    };
    let received = body.len() as u64;
    let logins = parts.headers.get_all(header::AUTHORIZATION).iter().count();
    let harm = gate.faults.meet(&method, &path);
    let answer = pass(&gate, harm, Request::from_parts(parts, body.into()), next).await;
    let dropped = harm == Some(Harm::Dropped);
    if dropped {
        connection.close();
    }
    let status = if dropped { 0 } else { answer.status().as_u16() };
    let sent = answer.body().size_hint().exact();
    gate.exchanges.add(Exchange { method, path, status, logins, received, sent });
    answer
}

/// Login, faults, and the registry's missing referrers API.
async fn pass(gate: &Gate, harm: Option<Harm>, request: Request, next: Next) -> Response<Body> {
    let login = gate.login.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(refusal) = login.and_then(|login| refusal(&login, &request)) {
        return refusal;
    }
    if let Some(harm) = harm.filter(|harm| harm.replaces()) {
        return harm.answer(StatusCode::OK, None, &axum::body::Bytes::new());
    }
    let without_referrers = *gate.without_referrers.lock().unwrap_or_else(PoisonError::into_inner);
    if without_referrers && request.uri().path().contains("/referrers/") {
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

pub(crate) fn answer(status: StatusCode, body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}
