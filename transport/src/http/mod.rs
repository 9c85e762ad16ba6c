//! HTTP as registry, Git host and channel server share it: time limits, private CAs, proxies from the environment,
//! redirects that carry no login away.

mod failures;
mod kept;
mod options;
mod progress;
mod redirect;

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pdp_policies::Digest;
use reqwest::{Request, Response};
use url::Url;

pub(crate) use failures::{no_answer, refused, root_cause};
pub use options::{Exceptions, HttpOptions, address, parse_host};
pub(crate) use options::{is_loopback, is_on_loopback};
pub(crate) use progress::Progress;
pub(crate) use redirect::may_go_on;

use crate::error::{Error, Kind, Result};
use crate::oci::Memory;

const AGENT: &str = concat!("pdp-updates/", env!("CARGO_PKG_VERSION"));
/// A CA bundle is smaller (bytes).
const MAX_CA_BYTES: u64 = 4 * 1024 * 1024;
/// So many clients are kept, one for each set of options; more than that, and all are made anew.
const KEPT_CLIENTS: usize = 16;

/// A client with what was learned while it was used. The process keeps one for each set of options: connections,
/// TLS and the origins that asked for a login outlive a pass.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    pub(crate) client: reqwest::Client,
    pub(crate) options: Arc<HttpOptions>,
    challenged: Arc<Mutex<BTreeSet<String>>>,
    /// What was learned about registries.
    pub(crate) registries: Arc<Memory>,
}

type Kept = Mutex<HashMap<(HttpOptions, Digest), Http>>;

impl Http {
    /// The client for these options; made at the first use, and anew when a CA file changes.
    ///
    /// # Errors
    /// `BadCredentials` for a CA file that can't be read or holds no certificate.
    pub(crate) fn shared(options: &HttpOptions) -> Result<Self> {
        static KEPT: std::sync::LazyLock<Kept> = std::sync::LazyLock::new(Kept::default);
        let pems = authorities(options)?;
        let mark = Digest::of(&pems.concat());
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.get(&(options.clone(), mark)) {
            return Ok(known.clone());
        }
        if kept.len() >= KEPT_CLIENTS {
            kept.clear();
        }
        let options_kept = Arc::new(options.clone());
        let http = Self {
            client: client(options, &pems)?,
            options: options_kept,
            challenged: Arc::default(),
            registries: Arc::default(),
        };
        kept.insert((options.clone(), mark), http.clone());
        Ok(http)
    }

    /// Sends a request. Redirects of GET and HEAD are followed, within [`redirect`]'s rules; `Authorization` stays
    /// with the origin that it was made for.
    ///
    /// # Errors
    /// `TimedOut` after silence, `Unreachable`, `Garbage` for a redirect that isn't followed.
    pub(crate) async fn execute(&self, what: &str, request: Request) -> Result<Response> {
        self.execute_waiting(what, request, Duration::ZERO).await
    }

    /// As [`Http::execute`], for a server that was asked to let `wait` pass before it answers.
    ///
    /// # Errors
    /// As [`Http::execute`].
    pub(crate) async fn execute_waiting(
        &self,
        what: &str,
        request: Request,
        wait: Duration,
    ) -> Result<Response> {
        redirect::follow(self, what, request, wait + self.options.silence).await
    }

    /// Sends a request whose body notes what moves, once: it may take any time as long as something does.
    ///
    /// # Errors
    /// `TimedOut` after silence, `Unreachable`.
    pub(crate) async fn execute_streamed(
        &self,
        what: &str,
        request: Request,
        progress: &Progress,
    ) -> Result<Response> {
        redirect::send_streamed(self, what, request, progress).await
    }

    /// Sends a request to this address and nowhere else: what a redirect says is left to the caller.
    ///
    /// # Errors
    /// As [`Http::execute`].
    pub(crate) async fn execute_here(&self, what: &str, request: Request) -> Result<Response> {
        redirect::send(self, what, request, self.options.silence).await
    }

    /// Where an answer sends on to, none if it doesn't; within the rules of redirects.
    ///
    /// # Errors
    /// `Garbage` for a redirect that must not be followed.
    pub(crate) fn redirected(&self, what: &str, answer: &Response) -> Result<Option<Url>> {
        redirect::next(self, what, answer)
    }

    /// True once this origin asked for a login.
    pub(crate) fn has_challenged(&self, url: &Url) -> bool {
        let origins = self.challenged.lock().unwrap_or_else(PoisonError::into_inner);
        origins.contains(&url.origin().ascii_serialization())
    }

    /// Remembers that this origin asks for a login.
    pub(crate) fn challenged_by(&self, url: &Url) {
        let mut origins = self.challenged.lock().unwrap_or_else(PoisonError::into_inner);
        origins.insert(url.origin().ascii_serialization());
    }

    /// Reads a body of at most `max` bytes, whatever its headers claim.
    ///
    /// # Errors
    /// `TooLarge`, and `TimedOut` or `Unreachable` when it breaks off.
    pub(crate) async fn body(&self, what: &str, mut answer: Response, max: u64) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk(what, &mut answer).await? {
            body.extend_from_slice(&chunk);
            if body.len() as u64 > max {
                return Err(Error::new(Kind::TooLarge, what, format!("more than {max} bytes")));
            }
        }
        Ok(body)
    }

    /// The next piece of a body, none at its end. However long the whole takes, silence ends it.
    ///
    /// # Errors
    /// `TimedOut` or `Unreachable` when it breaks off.
    pub(crate) async fn chunk(&self, what: &str, answer: &mut Response) -> Result<Option<bytes::Bytes>> {
        let silent = |_| Error::new(Kind::TimedOut, what, silence(self.options.silence));
        let read = tokio::time::timeout(self.options.silence, answer.chunk()).await.map_err(silent)?;
        read.map_err(|e| {
            let kind = if e.is_timeout() { Kind::TimedOut } else { Kind::Unreachable };
            Error::new(kind, what, format!("the answer broke off: {}", root_cause(&e)))
        })
    }
}

fn silence(limit: Duration) -> String {
    format!("nothing moved for {} s", limit.as_secs())
}

fn client(options: &HttpOptions, pems: &[Vec<u8>]) -> Result<reqwest::Client> {
    // rustls panics when no provider is chosen; choosing twice is harmless.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let bad = |cause: String| Error::new(Kind::BadCredentials, "set up HTTP", cause);
    let mut certificates = Vec::new();
    for pem in pems {
        certificates.extend(reqwest::Certificate::from_pem_bundle(pem).map_err(|e| bad(e.to_string()))?);
    }
    let builder = reqwest::Client::builder()
        .user_agent(AGENT)
        .connect_timeout(options.connect_timeout)
        // What nobody acknowledges for so long isn't moving, whatever the system still holds of it.
        .tcp_user_timeout(options.silence)
        .pool_max_idle_per_host(kept::KEPT_CONNECTIONS.into())
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_merge(certificates);
    builder.build().map_err(|e| bad(e.to_string()))
}

/// The CA files, each with a certificate at least: a file without one would be taken for a private CA in vain.
fn authorities(options: &HttpOptions) -> Result<Vec<Vec<u8>>> {
    let read = |path: &std::path::PathBuf| {
        let bad =
            |cause: String| Error::new(Kind::BadCredentials, format!("CA file {}", path.display()), cause);
        let pem = crate::files::read_capped(path, MAX_CA_BYTES).map_err(|e| bad(e.cause))?;
        let pem = pem.ok_or_else(|| bad("there is no such file".to_owned()))?;
        match reqwest::Certificate::from_pem_bundle(&pem) {
            Ok(found) if found.is_empty() => Err(bad("it holds no certificate (PEM)".to_owned())),
            Ok(_) => Ok(pem),
            Err(e) => Err(bad(e.to_string())),
        }
    };
    options.extra_ca.iter().map(read).collect()
}

/// Full jitter: somewhere up to 0.2 s, 0.4 s, ... so that many clients don't come back at once.
pub(crate) fn pause(tries: u32) -> Duration {
    Duration::from_millis(random() % (200 << tries.min(6)))
}

/// A number to spread out what many do at once; no secret.
pub(crate) fn random() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}
