//! `git http-backend`, called by CGI.

use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};

use crate::git_host::command;
use crate::server::answer;

/// One request to `git http-backend`, by CGI (RFC 3875).
pub(crate) async fn backend(State(folder): State<PathBuf>, request: Request) -> Response<Body> {
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
