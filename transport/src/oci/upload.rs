//! One blob on its way up: whole if the registry takes it whole, in pieces where a proxy doesn't, and on from where it
//! broke off if the registry knows where that was.

use std::sync::{Arc, Mutex, PoisonError};

use pdp_policies::Digest;
use reqwest::{Method, Response, StatusCode, header};
use url::Url;

use super::registry::{Registry, Waits};
use super::repository::Repository;
use super::source::Source;
use crate::error::{Error, Kind, Result};
use crate::http::{self, Exceptions, Progress, may_go_on};

/// What is tried where a body was too large, from large to small (bytes). nginx takes 1 MiB if nobody told it more.
const PIECES: [u64; 4] = [8 << 20, 1 << 20, 256 << 10, 64 << 10];
/// So often an upload is sent on to elsewhere, or begins anew without a failed try.
const MOST_MOVES: u32 = 5;

/// A blob, and where it goes.
pub(super) struct Upload<'a> {
    pub(super) registry: &'a Registry,
    pub(super) repository: &'a Repository,
    pub(super) what: String,
    pub(super) digest: Digest,
    pub(super) size: u64,
    pub(super) source: Source,
}

/// An upload that the registry has begun.
#[derive(Debug, Clone)]
struct Session {
    url: Url,
    /// What the registry has so far (bytes).
    offset: u64,
    /// Pieces, except the last one, are no smaller (bytes).
    least: u64,
}

/// How a part of an upload ended, if not well.
enum Trouble {
    /// Waiting may help.
    Again(Result<Response>),
    /// The body was too large for someone.
    TooLarge,
    /// The registry doesn't know the session, or takes nothing further in it.
    Lost(Error),
    Final(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl Upload<'_> {
    /// Sends it. True if it was sent, false if it turned out to be there.
    ///
    /// # Errors
    /// `LoginNeeded`, `TooLargeForHost`, and what requests can end with.
    pub(super) async fn run(&self) -> Result<bool> {
        let origin = self.registry.origin(self.repository)?;
        let (mut piece, mut session) = (self.registry.memory().piece(&origin), None);
        let (mut waits, mut moves) = (self.registry.new_waits(), 0);
        loop {
            let trouble = match self.attempt(&mut session, piece).await {
                Ok(()) => return Ok(true),
                Err(trouble) => trouble,
            };
            match trouble {
                Trouble::Final(error) => return Err(error),
                Trouble::TooLarge => {
                    let least = session.take().map_or(0, |session| session.least);
                    let smaller = smaller(piece, self.size, least).ok_or_else(|| self.too_large(piece))?;
                    self.registry.memory().keep_piece(&origin, smaller);
                    piece = Some(smaller);
                }
                Trouble::Lost(error) => {
                    session = None;
                    moves += 1;
                    // The try before may have ended well, unheard.
                    if self.registry.has_blob(self.repository, &self.digest).await? {
                        return Ok(false);
                    }
                    if moves > MOST_MOVES {
                        return Err(error);
                    }
                }
                Trouble::Again(outcome) => {
                    self.pause(&mut waits, outcome).await?;
                    session = self.resumed(session, &mut waits).await;
                }
            }
        }
    }

    async fn pause(&self, waits: &mut Waits, outcome: Result<Response>) -> Result<()> {
        match (self.registry.wait(self.repository, waits, &outcome)?, outcome) {
            (Some(wait), _) => {
                tokio::time::sleep(wait).await;
                Ok(())
            }
            (None, Ok(answer)) => Err(self.registry.refused(&self.what, answer).await),
            (None, Err(error)) => Err(error),
        }
    }

    /// Where the upload that broke off goes on; none if it has to begin anew.
    async fn resumed(&self, session: Option<Session>, waits: &mut Waits) -> Option<Session> {
        let session = session?;
        let answer = self.exchange(Method::GET, &session.url, None).await.ok()?;
        let offset = received(&answer).filter(|offset| *offset <= self.size)?;
        if offset > session.offset {
            waits.begin_again();
        }
        let url = self.location(&answer).unwrap_or(session.url);
        Some(Session { url, offset, least: session.least })
    }

    fn too_large(&self, piece: Option<u64>) -> Error {
        let sent = piece.map_or(self.size, |piece| piece.min(self.size));
        let cause = format!("the registry, or a proxy before it, takes no body of {sent} bytes (413)");
        Error::new(Kind::TooLargeForHost, &self.what, cause)
    }

    /// Goes on with the session, or with a new one, to the end. What was reached is in `session`.
    async fn attempt(
        &self,
        session: &mut Option<Session>,
        piece: Option<u64>,
    ) -> std::result::Result<(), Trouble> {
        if session.is_none() {
            *session = Some(self.begin().await?);
        }
        let Some(at) = session else { return Ok(()) };
        let whole = at.offset == 0 && piece.is_none_or(|piece| self.size <= piece);
        if !whole {
            let length = piece.unwrap_or(self.size).max(at.least);
            while at.offset < self.size {
                self.send_piece(at, length).await?;
            }
        }
        let mut last = at.url.clone();
        last.query_pairs_mut().append_pair("digest", &self.digest.to_string());
        let range = (at.offset, self.size - at.offset);
        let answer = self.exchange(Method::PUT, &last, Some(range)).await;
        self.judge(at.offset > 0, answer).await.map(|_| ())
    }

    /// Begins an upload and takes it back. Not every registry knows how to.
    pub(super) async fn begun_and_given_up(&self) -> Result<()> {
        let session = self.begin().await?;
        let _ = self.exchange(Method::DELETE, &session.url, None).await;
        Ok(())
    }

    /// A new upload: a `POST` without a body, which says so (RFC 9110, 8.6).
    async fn begin(&self) -> Result<Session> {
        let start = self.registry.url(self.repository, "blobs/uploads/")?;
        let post = || self.registry.http().post(start.clone()).header(header::CONTENT_LENGTH, 0);
        let answer = self.registry.send(self.repository, &self.what, post).await?;
        if !answer.status().is_success() {
            return Err(self.registry.refused(&self.what, answer).await);
        }
        let least = header_number(&answer, "oci-chunk-min-length").unwrap_or(0);
        Ok(Session { url: self.location(&answer)?, offset: 0, least })
    }

    async fn send_piece(&self, at: &mut Session, length: u64) -> std::result::Result<(), Trouble> {
        let length = length.min(self.size - at.offset);
        let answer = self.exchange(Method::PATCH, &at.url, Some((at.offset, length))).await;
        let answer = self.judge(at.offset > 0, answer).await?;
        // Where the registry names no further place, the upload stays where it is.
        if answer.headers().contains_key(header::LOCATION) {
            at.url = self.location(&answer)?;
        }
        at.offset += length;
        Ok(())
    }

    /// One request of the upload with bytes `(start, length)` of the blob, once; where it is sent on to, again.
    async fn exchange(&self, method: Method, url: &Url, range: Option<(u64, u64)>) -> Result<Response> {
        let mut url = url.clone();
        for _ in 0..MOST_MOVES {
            let answer = self.exchange_here(&method, &url, range).await?;
            let kept = [StatusCode::TEMPORARY_REDIRECT, StatusCode::PERMANENT_REDIRECT];
            if !kept.contains(&answer.status()) {
                return Ok(answer);
            }
            url = self.location(&answer)?;
        }
        Err(Error::new(Kind::Garbage, &self.what, format!("more than {MOST_MOVES} redirects")))
    }

    async fn exchange_here(&self, method: &Method, url: &Url, range: Option<(u64, u64)>) -> Result<Response> {
        let (start, length) = range.unwrap_or_default();
        let progress = Mutex::new(Arc::new(Progress::of(0)));
        let current = || progress.lock().unwrap_or_else(PoisonError::into_inner);
        let build = || {
            *current() = Arc::new(Progress::of(length));
            let mut request = self.registry.http().request(method.clone(), url.clone());
            if range.is_some() {
                request = request
                    .header(header::CONTENT_TYPE, "application/octet-stream")
                    .header(header::CONTENT_LENGTH, length);
            }
            if length > 0 {
                let count = self.registry.counters().clone();
                let body = self.source.body(start, length, current().clone(), count)?;
                request = request.body(body);
            }
            if method == Method::PATCH {
                request =
                    request.header(header::CONTENT_RANGE, format!("{start}-{}", start + length.max(1) - 1));
            }
            request.build().map_err(|e| http::no_answer(&self.what, &e))
        };
        let send = |request| {
            let progress = current().clone();
            async move { self.registry.execute_streamed(&self.what, request, &progress).await }
        };
        self.registry.with_login(self.repository, &self.what, build, send).await
    }

    /// What an answer to bytes of the upload means; `begun` if others were taken before.
    async fn judge(&self, begun: bool, outcome: Result<Response>) -> std::result::Result<Response, Trouble> {
        let answer = match outcome {
            Err(error) if error.kind.is_transient() => return Err(Trouble::Again(Err(error))),
            outcome => outcome?,
        };
        match answer.status().as_u16() {
            200..=299 => Ok(answer),
            413 => Err(Trouble::TooLarge),
            429 | 500..=599 => Err(Trouble::Again(Ok(answer))),
            // Gone, or not where we thought that it was.
            404 | 410 | 416 => Err(Trouble::Lost(self.registry.refused(&self.what, answer).await)),
            400 | 409 | 412 if begun => Err(Trouble::Lost(self.registry.refused(&self.what, answer).await)),
            _ => Err(Trouble::Final(self.registry.refused(&self.what, answer).await)),
        }
    }

    /// Where the answer wants the upload: anywhere, but from TLS only to TLS. Another origin gets no login.
    fn location(&self, answer: &Response) -> Result<Url> {
        let text = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        location(answer.url(), text, self.registry.exceptions())
            .map_err(|cause| Error::new(Kind::Garbage, &self.what, cause))
    }
}

fn location(base: &Url, text: Option<&str>, exceptions: &Exceptions) -> std::result::Result<Url, String> {
    let joined = text.and_then(|text| base.join(text).ok());
    let mut url = joined.ok_or_else(|| "the registry named no upload location".to_owned())?;
    let _ = (url.set_username(""), url.set_password(None));
    may_go_on(base, &url, exceptions)?;
    Ok(url)
}

/// How many bytes an upload has by its `Range: 0-<last>`, none if the answer doesn't say. `0-0` is what some say of
/// nothing: then it begins anew.
fn received(answer: &Response) -> Option<u64> {
    if !answer.status().is_success() {
        return None;
    }
    let range = answer.headers().get(header::RANGE)?.to_str().ok()?;
    let last: u64 = range.trim_start_matches("bytes=").strip_prefix("0-")?.trim().parse().ok()?;
    (last > 0).then(|| last.checked_add(1)).flatten()
}

fn header_number(answer: &Response, name: &str) -> Option<u64> {
    answer.headers().get(name)?.to_str().ok()?.trim().parse().ok()
}

/// The next smaller piece after one that was too large, none if the registry wants none so small.
fn smaller(piece: Option<u64>, size: u64, least: u64) -> Option<u64> {
    let refused = piece.map_or(size, |piece| piece.min(size)).max(least.min(size));
    PIECES.into_iter().find(|piece| *piece < refused && *piece >= least)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_upload_goes_where_the_registry_says_but_never_from_tls_to_plain_http() {
        let at = "https://r.example/v2/a/blobs/uploads/";
        for (base, text, found) in [
            (at, "/v2/a/blobs/uploads/1", Some("https://r.example/v2/a/blobs/uploads/1")),
            (at, "1?_state=a%3D", Some("https://r.example/v2/a/blobs/uploads/1?_state=a%3D")),
            (at, "https://r.example:444/x", Some("https://r.example:444/x")),
            (at, "https://u:p@s3.example/x?sig=1", Some("https://s3.example/x?sig=1")),
            (at, "//s3.example/x", Some("https://s3.example/x")),
            (at, "http://r.example/x", None),
            (at, "http://127.0.0.1/x", None),
            (at, "file:///etc/passwd", None),
            ("http://127.0.0.1:5000/v2/", "http://127.0.0.1:6000/x", Some("http://127.0.0.1:6000/x")),
            ("http://127.0.0.1:5000/v2/", "http://r.example/x", None),
        ] {
            let got = location(&Url::parse(base).unwrap(), Some(text), &Exceptions::default()).ok();
            assert_eq!(got.as_ref().map(Url::as_str), found, "{text}");
        }
        assert!(location(&Url::parse(at).unwrap(), None, &Exceptions::default()).is_err());
    }

    #[test]
    fn pieces_get_smaller_down_to_what_the_registry_wants() {
        const MIB: u64 = 1 << 20;
        for (piece, size, least, next) in [
            (None, 100 * MIB, 0, Some(8 * MIB)),
            (Some(8 * MIB), 100 * MIB, 0, Some(MIB)),
            (Some(8 * MIB), 2 * MIB, 0, Some(MIB)),
            (None, MIB, 0, Some(256 << 10)),
            (Some(64 << 10), MIB, 0, None),
            (None, 100, 0, None),
            (Some(8 * MIB), 100 * MIB, 5 * MIB, None),
            (None, 100 * MIB, 5 * MIB, Some(8 * MIB)),
        ] {
            assert_eq!(smaller(piece, size, least), next, "{piece:?} {size} {least}");
        }
    }
}
