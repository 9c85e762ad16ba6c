//! The registry client: requests with login, retries and a count of what went over the wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime};

use reqwest::{Request, RequestBuilder, Response, StatusCode, header};
use url::Url;

use super::auth;
use super::memory::{Access, Grant, Key, Memory};
use super::patience::{Patience, retry_after};
use super::repository::Repository;
use crate::credentials;
use crate::error::{Error, Kind, Result};
use crate::http::{self, Exceptions, Http, HttpOptions, Progress};
use crate::login::{Login, LoginSource};

/// A request that may help when repeated is sent so often at the most.
const TRIES: u32 = 3;
/// A server that failed is waited for no longer than this, whatever it says.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// How to reach registries.
#[derive(Debug, Clone)]
pub struct OciOptions {
    /// Time limits, CAs, exceptions.
    pub http: HttpOptions,
    /// Where the login comes from when a registry asks for one.
    pub login: LoginSource,
}

/// A client for any number of registries. Connections, and what registries granted, are shared by all clients with
/// the same options.
#[derive(Debug)]
pub struct Registry {
    http: Http,
    login: LoginSource,
    patience: Patience,
    waiting: Option<fn(&str, Duration)>,
    traffic: Arc<Counters>,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    requests: AtomicU64,
    pub(super) sent: AtomicU64,
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
            patience: Patience::PASS,
            waiting: None,
            traffic: Arc::default(),
        })
    }

    /// With another patience than [`Patience::PASS`]; `waiting` is told the registry's host and the time whenever
    /// a registry that has enough of us is waited for.
    #[must_use]
    pub fn patient(self, patience: Patience, waiting: fn(&str, Duration)) -> Self {
        Self { patience, waiting: Some(waiting), ..self }
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

    pub(super) fn memory(&self) -> &Memory {
        &self.http.registries
    }

    pub(super) fn counters(&self) -> &Arc<Counters> {
        &self.traffic
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
        self.send_within(self.patience, repository, what, build).await
    }

    /// As `send`, with another patience for 429.
    pub(super) async fn send_within(
        &self,
        patience: Patience,
        repository: &Repository,
        what: &str,
        build: impl Fn() -> RequestBuilder,
    ) -> Result<Response> {
        let mut waits = Waits::new(patience);
        loop {
            let outcome = self.send_once(repository, what, &build).await;
            let Some(wait) = self.wait(repository, &mut waits, &outcome)? else {
                return match outcome {
                    Ok(answer) if busy(answer.status()) => Err(self.refused(what, answer).await),
                    outcome => outcome,
                };
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// How long to wait before a request with this outcome is sent again, none if it isn't.
    pub(super) fn wait(
        &self,
        repository: &Repository,
        waits: &mut Waits,
        outcome: &Result<Response>,
    ) -> Result<Option<Duration>> {
        let origin = self.origin(repository)?;
        let asked = |answer: &Response| retry_after(answer, SystemTime::now());
        match outcome {
            Ok(answer) if answer.status() == StatusCode::TOO_MANY_REQUESTS => {
                let asked = asked(answer);
                let wait = waits.limited(asked);
                let until = asked.zip(wait).map(|(asked, _)| Instant::now() + asked);
                self.memory().slow_down(&origin, Instant::now(), until);
                if let (Some(wait), Some(tell)) = (wait, self.waiting) {
                    tell(&repository.host, wait);
                }
                Ok(wait)
            }
            Ok(answer) if busy(answer.status()) => {
                Ok(waits.failed(asked(answer).map(|asked| asked.min(LONGEST_WAIT))))
            }
            Err(error) if error.kind.is_transient() => Ok(waits.failed(None)),
            _ => {
                self.memory().went_well(&origin);
                Ok(None)
            }
        }
    }

    async fn send_once(
        &self,
        repository: &Repository,
        what: &str,
        build: &impl Fn() -> RequestBuilder,
    ) -> Result<Response> {
        let build = || build().build().map_err(|e| http::no_answer(what, &e));
        self.with_login(repository, what, build, |request| self.execute(what, request)).await
    }

    /// Sends a request with what the registry granted, and on 401 once more with what it asks for. Whatever `send`
    /// does with it, a login is only with requests to the registry's own origin.
    pub(super) async fn with_login<F: Future<Output = Result<Response>>>(
        &self,
        repository: &Repository,
        what: &str,
        build: impl Fn() -> Result<Request>,
        send: impl Fn(Request) -> F,
    ) -> Result<Response> {
        let mut request = build()?;
        let origin = repository.origin(self.exceptions())?.origin();
        // A registry may send us elsewhere (an upload's location); its login stays here.
        let own = request.url().origin() == origin;
        let key = self.key(repository, Access::of(request.method()))?;
        let mut grant = self.memory().grant(&key, Instant::now()).filter(|_| own);
        loop {
            self.keep_pace(&key.origin).await;
            let answer = send(authorized(request, grant.as_ref())).await?;
            if answer.status() != StatusCode::UNAUTHORIZED || !own || answer.url().origin() != origin {
                return entitled(what, answer, grant.as_ref());
            }
            let (granted, last) = self.log_in(repository, &key, grant.as_ref(), &answer).await?;
            let Some(granted) = granted else { return entitled(what, answer, grant.as_ref()) };
            request = build()?;
            if last {
                let answer = send(authorized(request, Some(&granted))).await?;
                return entitled(what, answer, Some(&granted));
            }
            grant = Some(granted);
        }
    }

    /// A grant for what was refused, and whether it is the answer to this refusal: requests that are refused
    /// together log in once, and who comes late takes what the first one got.
    async fn log_in(
        &self,
        repository: &Repository,
        key: &Key,
        refused_with: Option<&Grant>,
        answer: &Response,
    ) -> Result<(Option<Grant>, bool)> {
        let _alone = self.memory().logging_in.lock().await;
        let newer = self.memory().grant(key, Instant::now());
        if newer.is_some() && newer.as_ref() != refused_with {
            return Ok((newer, false));
        }
        let login = self.login(repository)?;
        let granted = auth::answer(self, repository, key.access, answer, login.as_ref()).await?;
        if let Some(granted) = &granted {
            self.memory().keep_grant(key.clone(), granted.clone(), Instant::now());
        }
        Ok((granted, true))
    }

    fn key(&self, repository: &Repository, access: Access) -> Result<Key> {
        let login = match &self.login {
            LoginSource::Given(login) => Some(login.mark()),
            LoginSource::Helpers => Some(pdp_policies::Digest::of(b"helpers")),
            LoginSource::DockerConfig(config) => Some(pdp_policies::Digest::of(&config.text)),
            LoginSource::Nobody => None,
        };
        Ok(Key { origin: self.origin(repository)?, repository: repository.path.clone(), login, access })
    }

    fn login(&self, repository: &Repository) -> Result<Option<Login>> {
        match &self.login {
            LoginSource::Given(login) => Ok(Some(login.clone())),
            LoginSource::Helpers => credentials::for_registry(&repository.address(self.exceptions())?),
            LoginSource::DockerConfig(config) => {
                let address = repository.address(self.exceptions())?;
                credentials::from_docker_config(&config.name, &config.text, &address)
            }
            LoginSource::Nobody => Ok(None),
        }
    }

    pub(super) fn origin(&self, repository: &Repository) -> Result<String> {
        Ok(repository.origin(self.exceptions())?.origin().ascii_serialization())
    }

    async fn keep_pace(&self, origin: &str) {
        let wait = self.memory().reserve(origin, Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    pub(super) async fn execute(&self, what: &str, request: Request) -> Result<Response> {
        self.traffic.requests.fetch_add(1, Relaxed);
        self.http.execute(what, request).await
    }

    /// As `execute`; a redirect is the answer.
    pub(super) async fn execute_here(&self, what: &str, request: Request) -> Result<Response> {
        self.traffic.requests.fetch_add(1, Relaxed);
        self.http.execute_here(what, request).await
    }

    /// As `execute_here`, for a body that takes any time as long as it moves.
    pub(super) async fn execute_streamed(
        &self,
        what: &str,
        request: Request,
        progress: &Progress,
    ) -> Result<Response> {
        self.traffic.requests.fetch_add(1, Relaxed);
        self.http.execute_streamed(what, request, progress).await
    }

    /// The error of an answer that isn't 2xx, with the registry's own words.
    pub(super) async fn refused(&self, what: &str, answer: Response) -> Error {
        self.http.refused(what, answer).await
    }

    /// Refuses a page where a manifest was asked for.
    pub(super) fn no_page(&self, what: &str, answer: &Response) -> Result<()> {
        self.http.no_page(what, answer)
    }

    /// Reads a body of at most `max` bytes, whatever its headers claim.
    pub(super) async fn read(&self, what: &str, answer: Response, max: u64) -> Result<Vec<u8>> {
        let body = self.http.body(what, answer, max).await?;
        self.count_received(body.len());
        Ok(body)
    }

    /// The next piece of a body, none at its end.
    pub(super) async fn chunk(&self, what: &str, answer: &mut Response) -> Result<Option<bytes::Bytes>> {
        let chunk = self.http.chunk(what, answer).await?;
        self.count_received(chunk.as_ref().map_or(0, bytes::Bytes::len));
        Ok(chunk)
    }

    fn count_received(&self, bytes: usize) {
        self.traffic.received.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn new_waits(&self) -> Waits {
        Waits::new(self.patience)
    }
}

/// How often and how long one request was waited for.
#[derive(Debug)]
pub(super) struct Waits {
    patience: Patience,
    limited: u32,
    failed: u32,
    waited: Duration,
}

impl Waits {
    fn new(patience: Patience) -> Self {
        Self { patience, limited: 0, failed: 0, waited: Duration::ZERO }
    }

    fn limited(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.limited += 1;
        let wait = self.patience.wait(self.limited, asked, self.waited, http::random())?;
        self.waited += wait;
        Some(wait)
    }

    fn failed(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.failed += 1;
        (self.failed < TRIES).then(|| asked.unwrap_or_else(|| http::pause(self.failed)))
    }

    /// Something moved: what failed before doesn't count any longer.
    pub(super) fn begin_again(&mut self) {
        self.failed = 0;
    }
}

fn authorized(mut request: Request, grant: Option<&Grant>) -> Request {
    if let Some(grant) = grant {
        request.headers_mut().insert(header::AUTHORIZATION, grant.value.clone());
    }
    request
}

/// A refusal says if it came because the login was held back.
fn entitled(what: &str, answer: Response, grant: Option<&Grant>) -> Result<Response> {
    let refused = matches!(answer.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    match grant.and_then(|grant| grant.without_login.as_ref()) {
        Some(why) if refused => {
            Err(Error::new(Kind::LoginNeeded, what, format!("the answer was {}; {why}", answer.status())))
        }
        _ => Ok(answer),
    }
}

pub(super) fn busy(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}
