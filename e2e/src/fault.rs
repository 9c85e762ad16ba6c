//! Faults that a test switches on while a server runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, StatusCode, header};
use futures_util::{Stream, StreamExt, stream};

/// What a fault does to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// Another status, with an empty body.
    Status(u16),
    /// 429 with `Retry-After: 0`.
    RateLimited,
    /// 200 with a page that isn't the protocol's.
    Garbage,
    /// As `Garbage`, and it says that it is a page.
    Page,
    /// Half of the body, then the connection ends.
    Truncated,
    /// Half of the body as if it were all.
    Shortened,
    /// Zeros without end.
    Endless,
    /// The right length, other bytes.
    Swapped,
    /// The headers, then nothing.
    Silent,
    /// The connection closed without an answer.
    Dropped,
    /// What is asked for is done, and the connection closed without an answer.
    Lost,
    /// The right body, a byte every 20 milliseconds.
    Trickling,
    /// Zeros without end, announced with a `Content-Length` of one terabyte.
    Huge,
}

/// A fault for requests whose path contains a text.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Such as `GET`; any if empty.
    pub method: &'static str,
    /// A part of the path; any if empty.
    pub path: String,
    /// What happens.
    pub harm: Harm,
    /// To so many requests; to all if none.
    pub times: Option<u32>,
}

/// The faults of one server.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    active: Arc<Mutex<Vec<Fault>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Faults {
    /// Switches a fault on.
    pub fn add(&self, method: &'static str, path: &str, harm: Harm, times: Option<u32>) {
        lock(&self.active).push(Fault { method, path: path.to_owned(), harm, times });
    }

    /// Switches all faults off.
    pub fn clear(&self) {
        lock(&self.active).clear();
    }

    /// `METHOD path` of every request that came since the last call, answered by now or not.
    pub fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.asked))
    }

    /// The harm for this request, if there is one; counts it.
    pub(crate) fn meet(&self, method: &str, path: &str) -> Option<Harm> {
        lock(&self.asked).push(format!("{method} {path}"));
        let mut active = lock(&self.active);
        let hit = active.iter_mut().find(|fault| {
            (fault.method.is_empty() || fault.method == method)
                && path.contains(&fault.path)
                && fault.times != Some(0)
        })?;
        if let Some(times) = &mut hit.times {
            *times -= 1;
        }
        Some(hit.harm)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Harm {
    /// True if the real answer isn't needed.
    pub(crate) fn replaces(self) -> bool {
        use Harm::{Lost, Shortened, Silent, Swapped, Trickling, Truncated};
        !matches!(self, Truncated | Shortened | Swapped | Silent | Trickling | Lost)
    }

    /// The harmed answer; `body` is the real one.
    pub(crate) fn answer(
        self,
        status: StatusCode,
        kind: Option<HeaderValue>,
        body: &Bytes,
    ) -> Response<Body> {
        let mut answer = match self {
            Self::Status(code) => plain(StatusCode::from_u16(code).unwrap_or_default(), Body::empty()),
            Self::RateLimited => plain(StatusCode::TOO_MANY_REQUESTS, Body::empty()),
            Self::Garbage | Self::Page => {
                plain(StatusCode::OK, Body::from("<html>please log in to the hotel</html>"))
            }
            Self::Swapped => {
                let mut other = body.to_vec();
                if let Some(last) = other.last_mut() {
                    *last ^= 1;
                }
                plain(status, Body::from(other))
            }
            Self::Shortened => plain(status, Body::from(body.slice(..body.len() / 2))),
            Self::Truncated => plain(status, Body::from_stream(cut(body.slice(..body.len() / 2)))),
            Self::Endless | Self::Huge => plain(StatusCode::OK, Body::from_stream(zeros())),
            Self::Trickling => plain(status, Body::from_stream(trickle(body.clone()))),
            // Reaches nobody: the server closes the connection first.
            Self::Dropped | Self::Lost => plain(StatusCode::OK, Body::empty()),
            Self::Silent => {
                let silence = stream::once(async {
                    tokio::time::sleep(Duration::from_secs(600)).await;
                    Ok::<_, std::io::Error>(Bytes::new())
                });
                plain(StatusCode::OK, Body::from_stream(silence))
            }
        };
        if self == Self::Page {
            answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
        }
        if self == Self::RateLimited {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("0"));
        }
        if self == Self::Huge {
            answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(1_u64 << 40));
        }
        if let Some(kind) = kind {
            answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        }
        answer
    }
}

fn cut(half: Bytes) -> impl Stream<Item = std::io::Result<Bytes>> {
    let end = stream::once(async {
        // Without a pause the server gives up before it has sent the headers: no answer at all.
        tokio::task::yield_now().await;
        Err(std::io::Error::other("cut"))
    });
    stream::iter([Ok(half)]).chain(end)
}

fn zeros() -> impl Stream<Item = std::io::Result<Bytes>> {
    stream::repeat_with(|| Ok(Bytes::from_static(&[0; 65536])))
}

fn trickle(body: Bytes) -> impl Stream<Item = std::io::Result<Bytes>> {
    stream::iter(0..body.len()).then(move |at| {
        let byte = body.slice(at..=at);
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(byte)
        }
    })
}

fn plain(status: StatusCode, body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}
