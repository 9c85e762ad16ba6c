//! Redirects: a few, never from TLS to plain HTTP, and what was meant for one origin stays there.

use std::time::Duration;

use reqwest::{Method, Request, Response, StatusCode, header};
use url::Url;

use super::progress::{Progress, unseen_time};
use super::{Exceptions, Http, kept, no_answer, silence};
use crate::error::{Error, Kind, Result};
use crate::login::is_private;

/// More redirects than this lead nowhere.
const MOST: usize = 5;

/// Sends a request, and again where it is sent on to: GET and HEAD wherever that is, others only by 307 and 308.
pub(super) async fn follow(
    http: &Http,
    what: &str,
    mut request: Request,
    patience: Duration,
) -> Result<Response> {
    for _ in 0..MOST {
        let again = request.try_clone();
        let answer = send(http, what, request, patience).await?;
        let (Some(next), Some(again)) = (next(http, what, &answer)?, again) else { return Ok(answer) };
        if !may_repeat(again.method(), answer.status()) {
            return Ok(answer);
        }
        request = moved(again, next);
    }
    Err(Error::new(Kind::Garbage, what, format!("more than {MOST} redirects")))
}

/// One exchange. Silence ends it, not its size.
pub(super) async fn send(http: &Http, what: &str, request: Request, patience: Duration) -> Result<Response> {
    let size = request.body().and_then(reqwest::Body::as_bytes).map_or(0, |body| body.len() as u64);
    send_moving(http, what, request, patience, &Progress::of(0), unseen_time(size)).await
}

/// As [`send`], for a body that notes what moves.
pub(super) async fn send_streamed(
    http: &Http,
    what: &str,
    request: Request,
    progress: &Progress,
) -> Result<Response> {
    send_moving(http, what, request, http.options.silence, progress, Duration::ZERO).await
}

async fn send_moving(
    http: &Http,
    what: &str,
    request: Request,
    patience: Duration,
    progress: &Progress,
    more: Duration,
) -> Result<Response> {
    let sent = kept::execute(&http.client, request);
    tokio::pin!(sent);
    loop {
        let deadline = progress.deadline(patience + more);
        if let Ok(answer) = tokio::time::timeout_at(deadline, &mut sent).await {
            return answer.map_err(|e| no_answer(what, &e));
        }
        if progress.deadline(patience + more) <= deadline {
            return Err(Error::new(Kind::TimedOut, what, silence(patience)));
        }
    }
}

fn may_repeat(method: &Method, status: StatusCode) -> bool {
    let kept = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    kept || method == Method::GET || method == Method::HEAD
}

/// Where the answer sends on to, none if it doesn't.
pub(super) fn next(http: &Http, what: &str, answer: &Response) -> Result<Option<Url>> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = answer.headers().get(header::LOCATION) else { return Ok(None) };
    let garbage = |cause: &str| Error::new(Kind::Garbage, what, cause);
    let text = location.to_str().map_err(|_| garbage("the redirect names no address"))?;
    let mut next = answer.url().join(text).map_err(|_| garbage("the redirect names no address"))?;
    let _ = (next.set_username(""), next.set_password(None));
    may_go_on(answer.url(), &next, &http.options.exceptions).map_err(|cause| garbage(&cause))?;
    Ok(Some(next))
}

/// Whether one address may name another one: from TLS only to TLS; plain HTTP only where it is allowed.
///
/// # Errors
/// Why not.
pub(crate) fn may_go_on(from: &Url, to: &Url, exceptions: &Exceptions) -> std::result::Result<(), String> {
    let host = to.host_str().unwrap_or_default();
    match (from.scheme(), to.scheme()) {
        (_, "https") => Ok(()),
        ("http", "http") if exceptions.allow_plain(to) => Ok(()),
        ("https", "http") => Err(format!("it redirects from https to http ({host})")),
        (_, "http") => Err(format!("it redirects to plain http at {host}")),
        _ => Err("it redirects to something that isn't HTTP".to_owned()),
    }
}

/// The same request for another address; `Authorization` doesn't leave its origin.
fn moved(mut request: Request, to: Url) -> Request {
    if request.url().origin() != to.origin() || !is_private(&to) {
        for secret in [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION] {
            request.headers_mut().remove(secret);
        }
    }
    *request.url_mut() = to;
    request
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_redirect_never_leaves_tls() {
        let plain = Exceptions::parse(&["allowed.example".into()], &[]).unwrap();
        for (from, to, followed) in [
            ("https://a.example/", "https://b.example/", true),
            ("http://allowed.example/", "https://b.example/", true),
            ("http://allowed.example/", "http://allowed.example/x", true),
            ("http://allowed.example/", "http://b.example/", false),
            ("https://a.example/", "http://a.example/", false),
            ("https://a.example/", "http://allowed.example/", false),
            ("https://a.example/", "ftp://b.example/", false),
            ("https://a.example/", "file:///etc/passwd", false),
        ] {
            let (from, to) = (Url::parse(from).unwrap(), Url::parse(to).unwrap());
            assert_eq!(may_go_on(&from, &to, &plain).is_ok(), followed, "{from} -> {to}");
        }
    }

    #[test]
    fn authorization_stays_with_its_origin() {
        for (to, kept) in [
            ("https://a.example/other", true),
            ("https://a.example:444/", false),
            ("https://b.example/", false),
        ] {
            let mut request = Request::new(Method::GET, Url::parse("https://a.example/x").unwrap());
            request.headers_mut().insert(header::AUTHORIZATION, header::HeaderValue::from_static("Basic x"));
            let sent = moved(request, Url::parse(to).unwrap());
            assert_eq!(sent.headers().contains_key(header::AUTHORIZATION), kept, "{to}");
        }
    }
}
