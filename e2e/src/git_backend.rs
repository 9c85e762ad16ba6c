//! `git http-backend`, called by CGI, and what other servers do differently.

use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};

use crate::git_host::command;
use crate::server::answer;

/// Where the repositories lie, and the ways of this host.
#[derive(Debug, Clone)]
pub(crate) struct Backend {
    pub(crate) folder: PathBuf,
    pub(crate) ways: Arc<Mutex<Ways>>,
}

/// What this host does differently from git's own.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    /// Repositories that were renamed: path, new address, status.
    pub(crate) moved: Vec<(String, String, u16)>,
    /// `shallow` lines end with LF, as JGit writes them.
    pub(crate) shallow_with_lf: bool,
    /// What its clock says (RFC 9110). None: nothing that could be read, because tests move their own clocks.
    pub(crate) date: Option<String>,
}

impl Ways {
    /// Where a request is sent on to.
    fn location(&self, path: &str, query: Option<&str>) -> Option<(u16, String)> {
        self.moved.iter().find_map(|(from, to, status)| {
            let rest =
                path.strip_prefix(from.as_str()).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
            Some((*status, format!("{to}{rest}{}", query.map(|q| format!("?{q}")).unwrap_or_default())))
        })
    }
}

/// One request.
pub(crate) async fn backend(State(backend): State<Backend>, request: Request) -> Response<Body> {
    let date = backend.ways.lock().unwrap_or_else(PoisonError::into_inner).date.clone();
    let mut answer = undated(backend, request).await;
    let date = date.and_then(|date| HeaderValue::from_str(&date).ok());
    answer.headers_mut().insert(header::DATE, date.unwrap_or(HeaderValue::from_static("-")));
    answer
}

async fn undated(backend: Backend, request: Request) -> Response<Body> {
    let (moved, with_lf) = {
        let ways = backend.ways.lock().unwrap_or_else(PoisonError::into_inner);
        (ways.location(request.uri().path(), request.uri().query()), ways.shallow_with_lf)
    };
    if let Some((status, location)) = moved {
        let mut answer = answer(StatusCode::from_u16(status).unwrap_or_default(), Body::empty());
        if let Ok(location) = HeaderValue::from_str(&location) {
            answer.headers_mut().insert(header::LOCATION, location);
        }
        return answer;
    }
    let answered = by_cgi(backend.folder, request).await;
    if !with_lf {
        return answered;
    }
    let (parts, body) = answered.into_parts();
    let body = to_bytes(body, 1 << 28).await.unwrap_or_default();
    Response::from_parts(parts, Body::from(with_lf_after_shallow(&body)))
}

/// The lines before the pack, each `shallow` with an LF more.
fn with_lf_after_shallow(body: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), body);
    while let Some(line) = rest.strip_prefix(b"0034shallow ").and_then(|rest| rest.get(..40)) {
        out.extend([b"0035shallow ", line, b"\n"].concat());
        rest = rest.get(52..).unwrap_or_default();
    }
    out.extend(rest);
    out
}

/// One request to `git http-backend`, by CGI (RFC 3875).
async fn by_cgi(folder: PathBuf, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(input) = to_bytes(body, 1 << 28).await else {
        return answer(StatusCode::BAD_REQUEST, Body::empty());
    };
    let header = |name: HeaderName| parts.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let mut command = command(&folder);
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header(header::CONTENT_TYPE))
        .env("CONTENT_LENGTH", input.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header(header::CONTENT_ENCODING))
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let run = move || -> Result<Vec<u8>> {
        let mut child = command.spawn()?;
        let mut stdin = child.stdin.take().context("stdin")?;
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output()?;
        let _ = writer.join();
        Ok(output.stdout)
    };
    match tokio::task::spawn_blocking(run).await {
        Ok(Ok(output)) => cgi_answer(&output),
        _ => answer(StatusCode::INTERNAL_SERVER_ERROR, Body::empty()),
    }
}

fn cgi_answer(output: &[u8]) -> Response<Body> {
    let split = output.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(output.len());
    let (head, body) = output.split_at(split);
    let mut built = answer(StatusCode::OK, Body::from(body.get(4..).unwrap_or_default().to_vec()));
    for line in String::from_utf8_lossy(head).lines() {
        let Some((name, value)) = line.split_once(": ") else { continue };
        if name == "Status" {
            let code = value.split(' ').next().and_then(|code| code.parse::<u16>().ok());
            *built.status_mut() = code.and_then(|c| StatusCode::from_u16(c).ok()).unwrap_or(StatusCode::OK);
        } else if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            built.headers_mut().insert(name, value);
        }
    }
    built
}
