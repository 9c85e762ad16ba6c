//! What an answer, or the lack of one, means: one place that tells the host's failures from the proxy's.

use std::error::Error as StdError;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Response, StatusCode, header};
use serde::Deserialize;
use url::Url;

use super::Http;
use crate::error::{Error, Kind};

/// No more of a refusal's body is read (bytes).
const MAX_WORDS_BYTES: u64 = 16 * 1024;
/// No more of the other side's words is shown (characters).
const SHOWN_WORDS: usize = 300;

/// What the registry specification says that an error looks like.
#[derive(Deserialize)]
struct RegistryErrors {
    errors: Vec<RegistryError>,
}

#[derive(Deserialize)]
struct RegistryError {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Http {
    /// The error of an answer that isn't 2xx, with the other side's own words.
    pub(crate) async fn refused(&self, what: &str, answer: Response) -> Error {
        let (status, via) = (answer.status(), proxy_for(answer.url()));
        let kind =
            answer.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let body = self.body(what, answer, MAX_WORDS_BYTES).await.unwrap_or_default();
        let mut error = refused(what, status);
        if let Some(words) = words(kind.as_deref(), &body) {
            error.cause += &format!(": {words}");
        }
        by_way_of(error, via)
    }

    /// Refuses a page where something else was asked for: a login page, a proxy's, a router's.
    ///
    /// # Errors
    /// `Garbage`.
    pub(crate) fn no_page(&self, what: &str, answer: &Response) -> Result<(), Error> {
        let kind =
            answer.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if !kind.trim_start().to_ascii_lowercase().starts_with("text/html") {
            return Ok(());
        }
        let error = Error::new(Kind::Garbage, what, "the answer is an HTML page");
        Err(by_way_of(error, proxy_for(answer.url())))
    }
}

/// The error of a status that isn't 2xx.
pub(crate) fn refused(what: &str, status: StatusCode) -> Error {
    let kind = match status.as_u16() {
        401 | 403 => Kind::LoginNeeded,
        404 | 410 => Kind::NotFound,
        407 => Kind::ProxyLoginNeeded,
        408 | 504 => Kind::TimedOut,
        413 => Kind::TooLargeForHost,
        429 => Kind::RateLimited,
        400..=499 => Kind::Refused,
        500..=599 => Kind::ServerFailed,
        _ => Kind::Garbage,
    };
    Error::new(kind, what, format!("the answer was {status}"))
}

/// The error of a request that brought no answer.
pub(crate) fn no_answer(what: &str, error: &reqwest::Error) -> Error {
    let via = error.url().and_then(proxy_for);
    let cause = root_cause(error);
    let kind = match tunnel(error) {
        Some(kind) => kind,
        None if is_untrusted(error) => Kind::Untrusted,
        None if error.is_timeout() => Kind::TimedOut,
        None if error.is_connect() && via.is_some() => Kind::ProxyUnreachable,
        None => Kind::Unreachable,
    };
    by_way_of(Error::new(kind, what, cause), via)
}

/// What the proxy answered to CONNECT, none if that isn't what failed.
fn tunnel(error: &reqwest::Error) -> Option<Kind> {
    let said = chain(error).map(ToString::to_string).find(|text| text.contains("tunnel"))?;
    let wants_login = said.contains("authorization required") || said.contains("407");
    Some(if wants_login { Kind::ProxyLoginNeeded } else { Kind::ProxyRefused })
}

/// True if the host's certificate is why there is no connection.
fn is_untrusted(error: &reqwest::Error) -> bool {
    chain(error).any(|cause| {
        let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let tls = cause.downcast_ref().or_else(|| inner.and_then(|inner| inner.downcast_ref()));
        matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
    })
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| (*error).source())
}

/// The innermost cause, without the URL: that may hold a login.
pub(crate) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

/// The proxy that the environment names for an address, as `host:port`; none if it goes there directly.
fn proxy_for(url: &Url) -> Option<String> {
    let proxy = Matcher::from_env().intercept(&url.as_str().parse().ok()?)?;
    proxy.uri().authority().map(|authority| {
        let text = authority.as_str();
        text.rsplit_once('@').map_or(text, |(_, address)| address).to_owned()
    })
}

fn by_way_of(mut error: Error, proxy: Option<String>) -> Error {
    if let Some(proxy) = proxy {
        error.cause += &format!(" (by way of the proxy {proxy})");
    }
    error
}

/// The other side's words: a registry's errors, or one line of plain text. Never a page.
fn words(kind: Option<&str>, body: &[u8]) -> Option<String> {
    let said = match serde_json::from_slice::<RegistryErrors>(body) {
        Ok(found) => {
            let each = found.errors.into_iter().take(3).map(|it| format!("{} {}", it.code, it.message));
            each.collect::<Vec<_>>().join("; ")
        }
        Err(_) if kind.is_some_and(|kind| kind.starts_with("text/plain")) => {
            String::from_utf8_lossy(body).lines().next().unwrap_or_default().to_owned()
        }
        Err(_) => return None,
    };
    let shown: String = said.chars().filter(|c| !c.is_control()).take(SHOWN_WORDS).collect();
    Some(shown.trim().to_owned()).filter(|shown| !shown.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_told_as_what_it_is() {
        for (status, kind) in [
            (401, Kind::LoginNeeded),
            (404, Kind::NotFound),
            (405, Kind::Refused),
            (407, Kind::ProxyLoginNeeded),
            (411, Kind::Refused),
            (413, Kind::TooLargeForHost),
            (429, Kind::RateLimited),
            (503, Kind::ServerFailed),
            (504, Kind::TimedOut),
            (302, Kind::Garbage),
        ] {
            let status = StatusCode::from_u16(status).unwrap_or_default();
            assert_eq!(refused("x", status).kind, kind, "{status}");
        }
    }

    #[test]
    fn the_other_sides_words_are_shown_cleaned_and_short() {
        let json =
            br#"{"errors":[{"code":"DENIED","message":"tag \u001b[31mv1 is immutable"},{"code":"X"}]}"#;
        assert_eq!(words(None, json).as_deref(), Some("DENIED tag [31mv1 is immutable; X"));
        assert_eq!(
            words(Some("text/plain; charset=utf-8"), b"no such thing\nmore").as_deref(),
            Some("no such thing")
        );
        assert_eq!(words(Some("text/html"), b"<html>nginx</html>"), None);
        assert_eq!(words(Some("application/json"), b"{}"), None);
        let long = "x".repeat(10_000);
        assert_eq!(words(Some("text/plain"), long.as_bytes()).map(|it| it.len()), Some(SHOWN_WORDS));
    }
}
