//! The HTTP client that registry and Git share: time limits, private CAs, proxies from the environment.

use std::hash::{BuildHasher, Hasher};
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Kind, Result};

/// How to reach the world. `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are honoured.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// For the connection.
    pub connect_timeout: Duration,
    /// Without a further byte for this long, a read gives up.
    pub read_timeout: Duration,
    /// PEM files with further CAs, for private registries and intercepting proxies.
    pub extra_ca: Vec<PathBuf>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            extra_ca: Vec::new(),
        }
    }
}

/// True for this machine, the only one that may speak plain HTTP. `host` is without a port.
pub(crate) fn is_loopback(host: &str) -> bool {
    let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

const AGENT: &str = concat!("pdp-updates/", env!("CARGO_PKG_VERSION"));

/// An asynchronous client.
///
/// # Errors
/// `BadCredentials` for a CA file that can't be read.
pub(crate) fn client(options: &HttpOptions) -> Result<reqwest::Client> {
    install_provider();
    let builder = reqwest::Client::builder()
        .user_agent(AGENT)
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.read_timeout)
        .redirect(reqwest::redirect::Policy::limited(5))
        .tls_certs_merge(authorities(options)?);
    builder.build().map_err(|e| Error::new(Kind::BadCredentials, "set up HTTP", e.to_string()))
}

/// A blocking client, for libgit2's callbacks.
///
/// # Errors
/// `BadCredentials` for a CA file that can't be read.
pub(crate) fn blocking_client(options: &HttpOptions) -> Result<reqwest::blocking::Client> {
    install_provider();
    let builder = reqwest::blocking::Client::builder()
        .user_agent(AGENT)
        .connect_timeout(options.connect_timeout)
        .timeout(options.read_timeout)
        .tls_certs_merge(authorities(options)?);
    builder.build().map_err(|e| Error::new(Kind::BadCredentials, "set up HTTP", e.to_string()))
}

/// rustls panics when no provider is chosen; choosing twice is harmless.
fn install_provider() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

fn authorities(options: &HttpOptions) -> Result<Vec<reqwest::Certificate>> {
    let mut found = Vec::new();
    for path in &options.extra_ca {
        let what = format!("CA file {}", path.display());
        let bad = |cause: String| Error::new(Kind::BadCredentials, &what, cause);
        let pem = std::fs::read(path).map_err(|e| bad(e.to_string()))?;
        found.extend(reqwest::Certificate::from_pem_bundle(&pem).map_err(|e| bad(e.to_string()))?);
    }
    Ok(found)
}

/// The error of a request that brought no answer.
pub(crate) fn no_answer(what: &str, error: &reqwest::Error) -> Error {
    let kind = if error.is_timeout() { Kind::TimedOut } else { Kind::Unreachable };
    Error::new(kind, what, root_cause(error))
}

/// The innermost cause, without the URL: that may hold a login.
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// The error of an answer that isn't 2xx.
pub(crate) fn refused(what: &str, status: reqwest::StatusCode) -> Error {
    let kind = match status.as_u16() {
        401 | 403 => Kind::LoginNeeded,
        404 => Kind::NotFound,
        429 => Kind::RateLimited,
        500..=599 => Kind::ServerFailed,
        _ => Kind::Garbage,
    };
    Error::new(kind, what, format!("the answer was {status}"))
}

/// Reads a body of at most `max` bytes, whatever its headers claim.
///
/// # Errors
/// `TooLarge`, and `TimedOut` or `Unreachable` when it breaks off.
pub(crate) async fn body(what: &str, mut answer: reqwest::Response, max: u64) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let chunk = answer.chunk().await.map_err(|e| {
            let kind = if e.is_timeout() { Kind::TimedOut } else { Kind::Unreachable };
            Error::new(kind, what, format!("the answer broke off: {}", root_cause(&e)))
        })?;
        let Some(chunk) = chunk else { return Ok(body) };
        body.extend_from_slice(&chunk);
        if body.len() as u64 > max {
            return Err(Error::new(Kind::TooLarge, what, format!("more than {max} bytes")));
        }
    }
}

/// Full jitter: somewhere up to 0.2 s, 0.4 s, ... so that many clients don't come back at once.
pub(crate) fn pause(tries: u32) -> Duration {
    let random = std::hash::RandomState::new().build_hasher().finish();
    Duration::from_millis(random % (200 << tries.min(6)))
}
