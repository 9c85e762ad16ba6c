//! The registry client: requests with login, retries and a count of what went over the wire.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use reqwest::{Request, RequestBuilder, Response, StatusCode, header};
use url::Url;

use super::auth;
use super::repository::Repository;
use crate::credentials;
use crate::error::Result;
use crate::http::{self, Exceptions, Http, HttpOptions};
use crate::login::{Login, LoginSource};

/// A request that may help when repeated is sent so often at the most.
const TRIES: u32 = 3;
/// No `Retry-After` makes us wait for longer.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// How to reach registries.
#[derive(Debug, Clone)]
pub struct OciOptions {
    /// Time limits, CAs, exceptions.
    pub http: HttpOptions,
    /// Where the login comes from when a registry asks for one.
    pub login: LoginSource,
}

/// A client for any number of registries.
#[derive(Debug)]
pub struct Registry {
    http: Http,
    login: LoginSource,
    /// `Authorization` by repository, for its own origin.
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
            http: Http::shared(&options.http)?,
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
        &self.http.client
    }

    pub(super) fn exceptions(&self) -> &Exceptions {
        &self.http.options.exceptions
    }

    /// The address of something in a repository.
    pub(super) fn url(&self, repository: &Repository, rest: &str) -> Result<Url> {
        repository.url(self.exceptions(), rest)
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
        let (key, origin) = (repository.to_string(), repository.origin(self.exceptions())?.origin());
        let known = self.granted.lock().ok().and_then(|granted| granted.get(&key).cloned());
        let request = build().build().map_err(|e| http::no_answer(what, &e))?;
        // A registry may send us elsewhere (an upload's location); its login stays here.
        let own = request.url().origin() == origin;
        let answer = self.execute(what, authorized(request, known.filter(|_| own))).await?;
        if answer.status() != StatusCode::UNAUTHORIZED || !own || answer.url().origin() != origin {
            return Ok(answer);
        }
        let login = self.login(repository)?;
        let Some(granted) = auth::answer(self, repository, &answer, login).await? else { return Ok(answer) };
        if let Ok(mut all) = self.granted.lock() {
            all.insert(key, granted.clone());
        }
        let request = build().build().map_err(|e| http::no_answer(what, &e))?;
        self.execute(what, authorized(request, Some(granted))).await
    }

    fn login(&self, repository: &Repository) -> Result<Option<Login>> {
        match &self.login {
            LoginSource::Given(login) => Ok(Some(login.clone())),
            LoginSource::Helpers => credentials::for_registry(&repository.origin(self.exceptions())?),
            LoginSource::DockerConfig(config) => {
                let origin = repository.origin(self.exceptions())?;
                credentials::from_docker_config(&config.name, &config.text, &origin)
            }
            LoginSource::Nobody => Ok(None),
        }
    }

    pub(super) async fn execute(&self, what: &str, request: Request) -> Result<Response> {
        self.traffic.requests.fetch_add(1, Relaxed);
        self.http.execute(what, request).await
    }

    /// Reads a body of at most `max` bytes, whatever its headers claim.
    pub(super) async fn read(&self, what: &str, answer: Response, max: u64) -> Result<Vec<u8>> {
        let body = self.http.body(what, answer, max).await?;
        self.traffic.received.fetch_add(body.len() as u64, Relaxed);
        Ok(body)
    }
}

fn authorized(mut request: Request, value: Option<header::HeaderValue>) -> Request {
    if let Some(value) = value {
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    request
}

fn busy(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}
