//! The registry client: requests with login, retries and a count of what went over the wire.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use reqwest::{RequestBuilder, Response, StatusCode, header};

use super::auth;
use super::repository::Repository;
use crate::credentials::{self, Login};
use crate::error::Result;
use crate::http::{self, HttpOptions};

/// A request that may help when repeated is sent so often at the most.
const TRIES: u32 = 3;
/// No `Retry-After` makes us wait for longer.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// How to reach registries.
#[derive(Debug, Clone, Default)]
pub struct OciOptions {
    /// Time limits, CAs.
    pub http: HttpOptions,
    /// The login for all hosts; Docker's config is asked if there is none.
    pub login: Option<Login>,
}

/// A client for any number of registries.
#[derive(Debug)]
pub struct Registry {
    http: reqwest::Client,
    login: Option<Login>,
    /// `Authorization` by host and repository.
    granted: Mutex<HashMap<String, header::HeaderValue>>,
    traffic: Counters,
}

#[derive(Debug, Default)]
struct Counters {
    requests: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    blobs_uploaded: AtomicU64,
}

/// What went over the wire so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Traffic {
    /// HTTP requests, retries and logins included.
    pub requests: u64,
    /// Bytes of bodies sent.
    pub bytes_sent: u64,
    /// Bytes of bodies received.
    pub bytes_received: u64,
    /// Blobs that weren't there before.
    pub blobs_uploaded: u64,
}

impl Registry {
    /// A client; no connection is made yet.
    ///
    /// # Errors
    /// `BadCredentials` for a CA file that can't be read.
    pub fn new(options: &OciOptions) -> Result<Self> {
        Ok(Self {
            http: http::client(&options.http)?,
            login: options.login.clone(),
            granted: Mutex::default(),
            traffic: Counters::default(),
        })
    }

    /// What went over the wire so far.
    pub fn traffic(&self) -> Traffic {
        let count = &self.traffic;
        Traffic {
            requests: count.requests.load(Relaxed),
            bytes_sent: count.sent.load(Relaxed),
            bytes_received: count.received.load(Relaxed),
            blobs_uploaded: count.blobs_uploaded.load(Relaxed),
        }
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(super) fn count_sent(&self, bytes: usize) {
        self.traffic.sent.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn count_blob(&self) {
        self.traffic.blobs_uploaded.fetch_add(1, Relaxed);
    }

    /// Sends a request that may be repeated: logs in on 401, waits and repeats on 429, 5xx and no answer.
    ///
    /// Returns whatever other status came.
    pub(super) async fn send(
        &self,
        repository: &Repository,
        what: &str,
        build: impl Fn() -> RequestBuilder,
    ) -> Result<Response> {
        let mut tries = 1;
        loop {
            let outcome = self.send_once(repository, what, &build).await;
            let wait = match &outcome {
                Ok(answer) if busy(answer.status()) => {
                    retry_after(answer).unwrap_or_else(|| http::pause(tries))
                }
                Err(error) if error.kind.is_transient() => http::pause(tries),
                _ => return outcome,
            };
            if tries == TRIES {
                return outcome.and_then(|answer| Err(http::refused(what, answer.status())));
            }
            tries += 1;
            tokio::time::sleep(wait).await;
        }
    }

    async fn send_once(
        &self,
        repository: &Repository,
        what: &str,
        build: &impl Fn() -> RequestBuilder,
    ) -> Result<Response> {
        let key = repository.to_string();
        let known = self.granted.lock().ok().and_then(|granted| granted.get(&key).cloned());
        let answer = self.execute(what, authorized(build(), known)).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let login = match &self.login {
            Some(login) => Some(login.clone()),
            None => credentials::for_registry(&repository.host)?,
        };
        let Some(granted) = auth::answer(self, repository, &answer, login).await? else { return Ok(answer) };
        if let Ok(mut all) = self.granted.lock() {
            all.insert(key, granted.clone());
        }
        self.execute(what, authorized(build(), Some(granted))).await
    }

    pub(super) async fn execute(&self, what: &str, request: RequestBuilder) -> Result<Response> {
        self.traffic.requests.fetch_add(1, Relaxed);
        request.send().await.map_err(|e| http::no_answer(what, &e))
    }

    /// Reads a body of at most `max` bytes, whatever its headers claim.
    pub(super) async fn read(&self, what: &str, answer: Response, max: u64) -> Result<Vec<u8>> {
        let body = http::body(what, answer, max).await?;
        self.traffic.received.fetch_add(body.len() as u64, Relaxed);
        Ok(body)
    }
}

fn authorized(request: RequestBuilder, value: Option<header::HeaderValue>) -> RequestBuilder {
    match value {
        Some(value) => request.header(header::AUTHORIZATION, value),
        None => request,
    }
}

fn busy(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}
