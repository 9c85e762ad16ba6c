//! A server on loopback with faults and logins, which can be stopped and started again on its port.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::serve::IncomingStream;
use tokio::runtime::Runtime;

use crate::content::Content;
use crate::exchange::{Exchange, Exchanges};
use crate::fault::{Faults, Harm};
use crate::habits::{Custom, list};
use crate::login::{Asked, Login, refusal};
use crate::token_service::{TokenService, lock};

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
    pub(crate) tokens: TokenService,
    pub(crate) custom: Custom,
    /// Every `Authorization` that came, right or wrong.
    pub(crate) logins: Arc<Mutex<Vec<String>>>,
    /// True if a tag is there, for who doesn't let it be written again.
    pub(crate) tags: Tags,
}

/// Looks for the tag of `/v2/<repository>/manifests/<tag>`.
#[derive(Clone, Default)]
pub(crate) struct Tags(pub(crate) Option<Content>);

impl std::fmt::Debug for Tags {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Tags")
    }
}

impl Tags {
    async fn has(&self, path: &str) -> bool {
        let named = path.strip_prefix("/v2/").and_then(|rest| rest.split_once("/manifests/"));
        match (&self.0, named) {
            (Some(content), Some((repository, tag))) if !tag.contains(':') => {
                content.has_tag(repository, tag).await
            }
            _ => false,
        }
    }
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
    let answer = pass(&gate, harm, parts, body, next).await;
    let dropped = matches!(harm, Some(Harm::Dropped | Harm::Lost));
    let status = if dropped { 0 } else { answer.status().as_u16() };
    let sent = answer.body().size_hint().exact();
    // Noted first: whoever asked sees the end of the connection at once, and then looks here.
    gate.exchanges.add(Exchange { method, path, status, logins, received, sent });
    if dropped {
        connection.close();
    }
    answer
}

/// Login, faults, and the registry's habits.
async fn pass(gate: &Gate, harm: Option<Harm>, parts: Parts, body: Bytes, next: Next) -> Response<Body> {
    let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
    let query = parts.uri.query().map(str::to_owned);
    let asked = Asked { method: &parts.method, uri: &parts.uri, headers: &parts.headers, body: &body };
    lock(&gate.logins).extend(asked.header(header::AUTHORIZATION).map(str::to_owned));
    let accepted = asked.header(header::ACCEPT).unwrap_or_default().to_owned();
    tokio::time::sleep(gate.custom.now().late).await;
    let has_tag = gate.tags.has(&path).await;
    if let Some(refusal) = gate.custom.refusal(&asked, has_tag) {
        return refusal;
    }
    let login = lock(&gate.login).clone();
    if let Some(refusal) = login.and_then(|login| refusal(&login, &gate.tokens, &asked)) {
        return refusal;
    }
    if let Some(harm) = harm.filter(|harm| harm.replaces()) {
        return harm.answer(StatusCode::OK, None, &Bytes::new());
    }
    let mut real = next.run(Request::from_parts(parts, body.into())).await;
    if [Method::GET, Method::HEAD].contains(&method) && gate.custom.hides(&path, &accepted, &real) {
        return answer(StatusCode::NOT_FOUND, Body::empty());
    }
    gate.custom.change(&method, &path, &mut real);
    if method == Method::GET && path.contains("/referrers/") {
        real = listed(gate, &path, query.as_deref(), real).await;
    }
    let Some(harm) = harm else { return real };
    let (parts, body) = real.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE).cloned();
    match to_bytes(body, 1 << 28).await {
        Ok(bytes) => harm.answer(parts.status, kind, &bytes),
        Err(_) => answer(StatusCode::INTERNAL_SERVER_ERROR, Body::empty()),
    }
}

/// The list of referrers as the server's habits have it.
async fn listed(gate: &Gate, path: &str, query: Option<&str>, real: Response<Body>) -> Response<Body> {
    let (mut parts, body) = real.into_parts();
    let Ok(body) = to_bytes(body, 1 << 28).await else {
        return answer(StatusCode::INTERNAL_SERVER_ERROR, Body::empty());
    };
    let (body, link) = list(&gate.custom.now(), path, query, &body);
    parts.headers.remove(header::CONTENT_LENGTH);
    if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
        parts.headers.insert(header::LINK, link);
    }
    Response::from_parts(parts, body.into())
}

pub(crate) fn answer(status: StatusCode, body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}
