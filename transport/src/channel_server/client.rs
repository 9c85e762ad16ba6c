//! Talking to the channel server: data planes with their key, people with a token.

use std::time::Duration;

use pdp_policies::instruction::{Enrolled, Enrolment, Ready};
use pdp_policies::{At, DataPlaneName, Line, PdpId};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::types::Problem;
use crate::cli::exit;
use crate::cli::failure::{Failure, Result};
use crate::error::{Error, Kind};
use crate::http::{self, Http, HttpOptions};
use crate::login::is_private;
use crate::signing_key::SigningKey;

/// The largest answer that is read (bytes).
const MAX_ANSWER_BYTES: u64 = 16 * 1024 * 1024;
/// Answers come at once unless a poll asks to wait.
const NOW: Duration = Duration::ZERO;
/// Instructions are small.
const MAX_ENVELOPE_BYTES: u64 = pdp_policies::dsse::MAX_ENVELOPE_BYTES as u64;

/// A channel server.
#[derive(Debug)]
pub struct ChannelServer {
    http: Http,
    url: url::Url,
}

/// The answer to a poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// An assignment (DSSE, not judged), and the tag to ask with next time.
    New(Vec<u8>, Option<String>),
    /// The one that the tag names still holds.
    Unchanged,
}

impl ChannelServer {
    /// A client; no connection is made yet. Plain HTTP is for this machine alone.
    ///
    /// # Errors
    /// `BadReference` for anything but an https address, `BadCredentials` for an unreadable CA file.
    pub fn new(url: &str, options: &HttpOptions) -> crate::error::Result<Self> {
        let bad = |cause: &str| Error::new(Kind::BadReference, format!("server `{url}`"), cause);
        let parsed = url::Url::parse(url).map_err(|_| bad("not a URL"))?;
        if !is_private(&parsed) {
            return Err(bad("use https://"));
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(bad("it must not hold a login"));
        }
        Ok(Self { http: Http::shared(options)?, url: parsed })
    }

    /// The address, for messages.
    pub fn shown(&self) -> String {
        self.url.to_string()
    }

    /// Introduces a data plane.
    ///
    /// # Errors
    /// What the server says, and what requests can end with.
    pub async fn enrol(&self, enrolment: &Enrolment) -> Result<Enrolled> {
        let request = self.request(Method::POST, "v1/enrolments")?.json(enrolment);
        self.json("enrol", request).await
    }

    /// Asks for the assignment of a data plane. With `wait` the server answers when something changed, or
    /// after that time.
    ///
    /// # Errors
    /// What the server says, and what requests can end with.
    pub async fn assignment(
        &self,
        pdp: &PdpId,
        line: &Line,
        key: &SigningKey,
        known: Option<&str>,
        wait: Duration,
        now: At,
    ) -> Result<Polled> {
        let path = format!("v1/data-planes/{pdp}/assignment?line={line}");
        let mut request = self.request(Method::GET, &path)?.bearer_auth(key.token(&pdp.to_string(), now)?);
        if let Some(known) = known {
            request = request.header(header::IF_NONE_MATCH, known);
        }
        if !wait.is_zero() {
            request = request.header("prefer", format!("wait={}", wait.as_secs()));
            request = request.timeout(wait + self.http.options.silence);
        }
        let answer = self.send("poll", request, wait).await?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            if known.is_none() {
                return Err(Error::new(
                    Kind::Garbage,
                    "poll",
                    "it says that nothing changed, and nothing is known here",
                )
                .into());
            }
            return Ok(Polled::Unchanged);
        }
        let tag = answer.headers().get(header::ETAG).and_then(|v| v.to_str().ok()).map(str::to_owned);
        Ok(Polled::New(self.http.body("poll", answer, MAX_ENVELOPE_BYTES).await?, tag))
    }

    /// Asks for leave to start; the answer is an assignment (DSSE, not judged).
    ///
    /// # Errors
    /// What the server says, and what requests can end with.
    pub async fn ready(
        &self,
        pdp: &PdpId,
        line: &Line,
        key: &SigningKey,
        ready: &Ready,
        now: At,
    ) -> Result<Vec<u8>> {
        let path = format!("v1/data-planes/{pdp}/ready?line={line}");
        let request = self.request(Method::POST, &path)?.bearer_auth(key.token(&pdp.to_string(), now)?);
        let answer = self.send("ready", request.json(ready), NOW).await?;
        Ok(self.http.body("ready", answer, MAX_ENVELOPE_BYTES).await?)
    }

    /// Hands in a report (DSSE). The same report again is no harm.
    ///
    /// # Errors
    /// What the server says, and what requests can end with.
    pub async fn report(&self, pdp: &PdpId, line: &Line, envelope: Vec<u8>) -> Result<()> {
        let path = format!("v1/data-planes/{pdp}/reports?line={line}");
        let request = self.request(Method::POST, &path)?.header(header::CONTENT_TYPE, "application/json");
        self.send("report", request.body(envelope), NOW).await.map(|_| ())
    }

    /// The last report of another data plane of the same organization, with the key that signed it (not judged); none if the
    /// server has none.
    ///
    /// # Errors
    /// What the server says, and what requests can end with.
    pub async fn report_of(
        &self,
        pdp: &PdpId,
        key: &SigningKey,
        other: &DataPlaneName,
        now: At,
    ) -> Result<Option<Vec<u8>>> {
        let path = format!("v1/data-planes/{pdp}/reports?of={other}");
        let request = self.request(Method::GET, &path)?.bearer_auth(key.token(&pdp.to_string(), now)?);
        let answer = self.send("report of another data plane", request, NOW).await?;
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        Ok(Some(self.http.body("report of another data plane", answer, MAX_ENVELOPE_BYTES).await?))
    }

    /// Tells the server that the catalog changed. It has no authority: the server looks for itself.
    ///
    /// # Errors
    /// What the server says, and what requests can end with.
    pub async fn catalog_changed(&self) -> Result<()> {
        self.send("hint", self.request(Method::POST, "v1/catalog/changed")?, NOW).await.map(|_| ())
    }

    /// A person's request. `path` is below the server's address, `body` none for a plain question.
    ///
    /// # Errors
    /// What the server says, and what requests can end with.
    pub async fn call<T: DeserializeOwned>(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T> {
        let mut request = self.request(method, path)?.bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.json(path, request).await
    }

    fn request(&self, method: Method, path: &str) -> crate::error::Result<RequestBuilder> {
        let base = format!("{}/", self.url.as_str().trim_end_matches('/'));
        let joined = url::Url::parse(&base).and_then(|base| base.join(path));
        let url = joined.map_err(|e| Error::new(Kind::BadReference, path, e.to_string()))?;
        Ok(self.http.client.request(method, url).timeout(self.http.options.silence))
    }

    async fn json<T: DeserializeOwned>(&self, what: &str, request: RequestBuilder) -> Result<T> {
        let answer = self.send(what, request, NOW).await?;
        let bytes = self.http.body(what, answer, MAX_ANSWER_BYTES).await?;
        let garbage = |e: serde_json::Error| Error::new(Kind::Garbage, what, e.to_string());
        Ok(serde_json::from_slice(if bytes.is_empty() { b"null" } else { &bytes }).map_err(garbage)?)
    }

    /// Sends, and lets the server think for `wait`; an answer other than 2xx and 304 becomes a failure with the
    /// server's own code.
    async fn send(&self, what: &str, request: RequestBuilder, wait: Duration) -> Result<Response> {
        let what = format!("channel server, {what}");
        let request = request.build().map_err(|e| http::no_answer(&what, &e))?;
        let answer = self.http.execute_waiting(&what, request, wait).await?;
        let status = answer.status();
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            self.http.no_page(&what, &answer)?;
            return Ok(answer);
        }
        let plain: Failure = http::refused(&what, status).into();
        let Ok(bytes) = self.http.body(&what, answer, 64 * 1024).await else { return Err(plain) };
        let Ok(problem) = serde_json::from_slice::<Problem>(&bytes) else { return Err(plain) };
        let code: String = problem.code.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        let exit = if status == StatusCode::UNAUTHORIZED { exit::LOGIN } else { exit::FAILED };
        let failure = Failure::new(&code, shown(&problem.message)).exit(exit);
        let failure = match problem.hint {
            Some(hint) => failure.hint(shown(&hint)),
            None => failure,
        };
        Err(Failure { transient: plain.transient, ..failure })
    }
}

/// Another machine's words: short, and without control characters.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}
