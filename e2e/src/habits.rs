//! What registries and the proxies before them do that the reference registry doesn't.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Method, Response, StatusCode, header};

use crate::login::Asked;
use crate::server::answer;
use crate::token_service::lock;

/// The habits of one server. None is the reference's.
#[derive(Debug, Clone, Default)]
pub struct Habits {
    /// Knows no referrers API.
    pub without_referrers: bool,
    /// Answers 411 to a POST or PUT that doesn't say how long it is, as lighttpd does.
    pub wants_length: bool,
    /// Answers 413 to a larger body, as nginx does (bytes).
    pub body_limit: Option<u64>,
    /// Names this origin (`http://host:port`) as the place for uploads.
    pub uploads_at: Option<String>,
    /// Sends whoever asks for a token on to this address.
    pub token_moved_to: Option<String>,
    /// Names a place for uploads with a query that has to come back as it is.
    pub upload_state: bool,
    /// Answers 412 to the PUT of a tag that is there.
    pub immutable_tags: bool,
    /// Lists so many referrers on a page, and where the next one is.
    pub referrers_page: Option<usize>,
    /// The next page is at this origin.
    pub pages_at: Option<String>,
    /// Says OK to referrers and lists none.
    pub forgets_referrers: bool,
    /// Lists referrers without their type.
    pub drops_types: bool,
    /// Lists referrers without their annotations.
    pub drops_annotations: bool,
    /// So many requests within each second; more are answered 429 without a word when to come again.
    pub rate: Option<usize>,
    /// Answers 404 to whoever asks for a manifest and doesn't accept its very type.
    pub exact_types: bool,
    /// Answers so late.
    pub late: Duration,
}

/// What a server needs to remember for its habits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Custom {
    pub(crate) habits: Arc<Mutex<Habits>>,
    served: Arc<Mutex<Vec<Instant>>>,
    refused: Arc<AtomicUsize>,
}

const STATE: &str = "_state=a%3Db%2Bc%3D%3D";

impl Custom {
    pub(crate) fn now(&self) -> Habits {
        lock(&self.habits).clone()
    }

    /// How many requests were too many.
    pub(crate) fn limited(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }

    /// An answer instead of the registry's.
    pub(crate) fn refusal(&self, asked: &Asked<'_>, has_tag: bool) -> Option<Response<Body>> {
        let habits = self.now();
        let path = asked.uri.path();
        let said = asked.headers.contains_key(header::CONTENT_LENGTH)
            || asked.headers.contains_key(header::TRANSFER_ENCODING);
        let writes = [Method::POST, Method::PUT].contains(asked.method);
        let uploads = path.contains("/blobs/uploads/");
        if path == "/token"
            && let Some(moved) = habits.token_moved_to.and_then(|moved| HeaderValue::from_str(&moved).ok())
        {
            let mut sent_on = answer(StatusCode::TEMPORARY_REDIRECT, Body::empty());
            sent_on.headers_mut().insert(header::LOCATION, moved);
            return Some(sent_on);
        }
        let lost_state = uploads && *asked.method != Method::POST && habits.upload_state;
        let status = if habits.rate.is_some_and(|rate| self.too_many(rate)) {
            StatusCode::TOO_MANY_REQUESTS
        } else if habits.wants_length && writes && !said {
            StatusCode::LENGTH_REQUIRED
        } else if habits.body_limit.is_some_and(|limit| asked.body.len() as u64 > limit) {
            StatusCode::PAYLOAD_TOO_LARGE
        } else if habits.immutable_tags && *asked.method == Method::PUT && has_tag {
            StatusCode::PRECONDITION_FAILED
        } else if habits.without_referrers && path.contains("/referrers/") {
            StatusCode::NOT_FOUND
        } else if lost_state && !asked.uri.query().unwrap_or_default().contains(STATE) {
            StatusCode::BAD_REQUEST
        } else {
            return None;
        };
        Some(answer(status, Body::empty()))
    }

    /// True for a manifest whose type the request doesn't accept by name, if that counts here.
    pub(crate) fn hides(&self, path: &str, accepted: &str, real: &Response<Body>) -> bool {
        let kind = real.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let named = |kind: &str| accepted.split(',').any(|accepted| accepted.trim() == kind);
        self.now().exact_types && path.contains("/manifests/") && !kind.is_some_and(named)
    }

    fn too_many(&self, rate: usize) -> bool {
        let (mut served, now) = (lock(&self.served), Instant::now());
        served.retain(|then| now - *then < Duration::from_secs(1));
        let over = served.len() >= rate;
        if over {
            self.refused.fetch_add(1, Ordering::Relaxed);
        } else {
            served.push(now);
        }
        over
    }

    /// The registry's answer as this server gives it.
    pub(crate) fn change(&self, method: &Method, path: &str, real: &mut Response<Body>) {
        let habits = self.now();
        if habits.without_referrers {
            real.headers_mut().remove("oci-subject");
        }
        if path.contains("/blobs/uploads/") && [Method::POST, Method::PATCH].contains(method) {
            move_upload(&habits, real);
        }
    }
}

fn move_upload(habits: &Habits, real: &mut Response<Body>) {
    let Some(location) = real.headers().get(header::LOCATION).and_then(|at| at.to_str().ok()) else { return };
    let mut location = format!("{}{location}", habits.uploads_at.as_deref().unwrap_or_default());
    if habits.upload_state {
        location = format!("{location}?{STATE}");
    }
    if let Ok(value) = HeaderValue::from_str(&location) {
        real.headers_mut().insert(header::LOCATION, value);
    }
}

/// The registry's list of referrers as this server gives it, with the `Link` to the next page.
pub(crate) fn list(
    habits: &Habits,
    path: &str,
    query: Option<&str>,
    body: &Bytes,
) -> (Bytes, Option<String>) {
    let Ok(mut index) = serde_json::from_slice::<serde_json::Value>(body) else {
        return (body.clone(), None);
    };
    let Some(entries) = index["manifests"].as_array_mut() else { return (body.clone(), None) };
    if habits.forgets_referrers {
        entries.clear();
    }
    for entry in entries.iter_mut().filter(|_| habits.drops_types) {
        entry.as_object_mut().map(|entry| entry.remove("artifactType"));
    }
    for entry in entries.iter_mut().filter(|_| habits.drops_annotations) {
        entry.as_object_mut().map(|entry| entry.remove("annotations"));
    }
    let mut link = None;
    if let Some(size) = habits.referrers_page {
        let from = query.and_then(|query| query.strip_prefix("from=")?.parse().ok()).unwrap_or(0_usize);
        let (all, to) = (entries.len(), from + size);
        *entries = entries.iter().skip(from).take(size).cloned().collect();
        let origin = habits.pages_at.as_deref().unwrap_or_default();
        link = (to < all).then(|| format!("<{origin}{path}?from={to}>; rel=\"next\""));
    }
    (Bytes::from(index.to_string()), link)
}
