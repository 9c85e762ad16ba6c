//! `GET /v1/data-planes/{organization}/{data plane}/assignment`: the server's word to one data plane.
//!
//! Answered from memory, signed per answer. The tag covers the decision and the key, not the date; `Prefer: wait=<seconds>`
//! lets the answer wait for news.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pdp_policies::instruction::{Assignment, MAX_ASSIGNMENT_LIFE, MinimumCatalog, Start};
use pdp_policies::rollout::{self, Asker, Rollout, Started};
use pdp_policies::{API_VERSION, At, Digest, Line, ObstacleCode, PdpId, Span, document, dsse};
use serde::Deserialize;

use super::data_plane::DataPlane;
use super::{Answer, Refusal};
use crate::fleet::Fleet;
use crate::news::Listener;
use crate::secret;
use crate::server::Server;

/// When to ask again, before jitter (seconds).
const POLL_AFTER: u32 = 60;
/// No answer waits for longer.
const LONGEST_WAIT: Duration = Duration::from_secs(50);
/// The tag changes this often though nothing else does, so that no assignment expires at its PDP (seconds).
const RENEW_AFTER: i64 = 6 * 3600;

/// Which line the data plane follows.
#[derive(Debug, Deserialize)]
pub(crate) struct Following {
    pub(crate) line: Line,
}

pub(crate) async fn get(
    State(server): State<Arc<Server>>,
    DataPlane(pdp): DataPlane,
    query: Result<Query<Following>, QueryRejection>,
    headers: HeaderMap,
) -> Answer<Response> {
    let line = query?.0.line;
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let longest = longest_wait(&headers);
    let wait = tokio::time::sleep(longest);
    tokio::pin!(wait);
    // A poll that doesn't wait costs no listener.
    let mut news = match longest.is_zero() {
        true => None,
        false => server.fleet().ring(&pdp).map(|ring| server.news.listen(ring)),
    };
    loop {
        news.iter_mut().for_each(Listener::forget);
        let decided = decide(&server, &server.fleet(), &pdp, &line, server.now())?;
        let tag = tag(&server, &decided)?;
        if known != Some(tag.as_str()) {
            server.metrics.polled(true);
            return answer(&server, decided, &tag);
        }
        if let Some(news) = &mut news {
            tokio::select! {
                biased;
                () = &mut wait => {}
                () = server.until_stopping() => {}
                () = news.news() => continue,
            }
        }
        server.metrics.polled(false);
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
}

/// RFC 7240: `Prefer: wait=<seconds>`.
fn longest_wait(headers: &HeaderMap) -> Duration {
    let prefer = headers.get("prefer").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let seconds = prefer.split([',', ';']).find_map(|part| part.trim().strip_prefix("wait=")?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(0)).min(LONGEST_WAIT)
}

/// What a data plane is told, dated at the beginning of the renewal period: equal decisions look equal.
pub(super) fn decide(
    server: &Server,
    fleet: &Fleet,
    pdp: &PdpId,
    line: &Line,
    now: At,
) -> Answer<Assignment> {
    let catalog = server.catalog.load();
    let catalog = catalog.as_ref().ok_or_else(Refusal::no_catalog)?;
    if !server.directs(catalog) {
        return Err(Refusal::not_director());
    }
    let missing = || Refusal::not_found(format!("the catalog has no channel of line `{line}`"));
    let channel = catalog.channel(line).ok_or_else(missing)?;
    let ring = fleet.ring(pdp).ok_or_else(|| Refusal::not_found("the organization has no ring"))?;
    let current = fleet.planes.get(pdp).and_then(|plane| plane.current).map(|current| current.level);
    let asker = Asker { ring, organization: Some(&pdp.organization), current };
    let ceiling = rollout::offer(channel, |level| fleet.rollout(line, level), asker, now);
    let started = ceiling.as_ref().and_then(|ceiling| {
        let start = fleet.rollout(line, ceiling.level)?.starts.get(pdp)?;
        running(start, now).map(|until| Start {
            level: ceiling.level,
            sha256: ceiling.sha256,
            attempt: start.attempt,
            until,
        })
    });
    let attempt = ceiling.as_ref().and_then(|it| fleet.rollout(line, it.level)).map_or(1, Rollout::attempt);
    let hold = if channel.stop.is_some() { vec![ObstacleCode::Stopped] } else { Vec::new() };
    let versions = catalog.versions();
    let period = At::from_unix(now.unix() - now.unix().rem_euclid(RENEW_AFTER));
    Ok(Assignment {
        api_version: API_VERSION.to_owned(),
        critical: Vec::new(),
        issued: period,
        expires: period,
        organization: pdp.organization.clone(),
        data_plane: pdp.data_plane.clone(),
        ring: ring.clone(),
        attempt,
        ceiling,
        hold,
        min_catalog: MinimumCatalog { channels: versions.channels, targets: versions.targets },
        start: started,
        poll_after: Span::from_seconds(POLL_AFTER),
    })
}

/// Until when a start that hasn't ended may still be made use of.
fn running(start: &Started, now: At) -> Option<At> {
    start.until.filter(|until| *until > now && start.outcome.is_none())
}

/// Covers the key, too: what the key before signed has to be replaced before that key goes out of use.
fn tag(server: &Server, decided: &Assignment) -> Answer<String> {
    let mut bytes = document::write(decided).map_err(|e| Refusal::internal(&e.to_string()))?;
    bytes.extend(server.director.public_pem().into_bytes());
    Ok(format!("\"{}\"", Digest::of(&bytes).short()))
}

/// Dates, jitters and signs.
pub(super) fn answer(server: &Server, decided: Assignment, tag: &str) -> Answer<Response> {
    let now = server.now();
    let random: [u8; 1] = secret::random().map_err(|_| Refusal::internal("no randomness"))?;
    let jitter = u32::from(random[0]) * POLL_AFTER / 10 / 256;
    let assignment = Assignment {
        issued: now,
        expires: now.plus(MAX_ASSIGNMENT_LIFE),
        poll_after: Span::from_seconds(POLL_AFTER + jitter),
        ..decided
    };
    let envelope = server.director.seal(dsse::ASSIGNMENT, &assignment);
    let envelope = envelope.map_err(|e| Refusal::internal(&e.to_string()))?;
    let mut response =
        ([(header::CONTENT_TYPE, "application/vnd.dsse.envelope.v1+json")], envelope).into_response();
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}
