//! `POST /v1/data-planes/{organization}/{data plane}/reports`: what a data plane says of itself, under its own
//! signature. What is refused counts nothing.

use std::sync::{Arc, PoisonError};

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use pdp_policies::report::Report;
use pdp_policies::rollout::{Heard, Unheard, Wellness, hear};
use pdp_policies::{At, CLOCK_TOLERANCE, Digest, Line, PdpId, Quota, Span, document, dsse};

use super::assignment::Following;
use super::named::Named;
use super::{Answer, Refusal};
use crate::event::Event;
use crate::fleet::{Fleet, Plane};
use crate::public_key::PublicKey;
use crate::server::Server;

/// More than an honest data plane ever hands in, which is a handful per upgrade and one every few minutes in between;
/// and next to nothing for the one writer.
const REPORTS: Quota = Quota { burst: 60, every: Span::from_seconds(1) };

pub(crate) async fn post(
    State(server): State<Arc<Server>>,
    Named(pdp): Named,
    query: Result<Query<Following>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Answer<StatusCode> {
    let outcome = async { take(&server, &pdp, &query?.0.line, &body?).await }.await;
    if let Err(refusal) = &outcome {
        server.refused(&pdp, "report", refusal);
    }
    outcome
}

/// What can be refused without writing is refused before the one writer is asked for, who is everybody's.
async fn take(server: &Server, pdp: &PdpId, line: &Line, envelope: &[u8]) -> Answer<StatusCode> {
    let (now, hash) = (server.now(), Digest::of(envelope));
    let Some((report, key)) = judge(&server.fleet(), pdp, envelope, hash, now)? else {
        return Ok(StatusCode::NO_CONTENT);
    };
    let writer = server.write().await?;
    // Meanwhile a newer one may have been taken, or the data plane shut out or enrolled anew.
    if again(&server.fleet(), pdp, key, &report, hash)? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let events = meaning(server, pdp, line, &report, now)?;
    writer.record_report(pdp, report, &String::from_utf8_lossy(envelope), hash, &events).await?;
    server.metrics.reported();
    Ok(StatusCode::NO_CONTENT)
}

fn stranger() -> Refusal {
    Refusal::login("this is not a report of an enrolled data plane").hint("enrol first")
}

fn enrolled<'a>(fleet: &'a Fleet, pdp: &PdpId) -> Answer<&'a Plane> {
    fleet.planes.get(pdp).filter(|plane| plane.revoked.is_none()).ok_or_else(stranger)
}

/// Is it this data plane's, for now, newer than the last, and not one too many? Then it comes with the key that it
/// was signed with. None for the last one again: a repeated request.
fn judge(
    fleet: &Fleet,
    pdp: &PdpId,
    envelope: &[u8],
    hash: Digest,
    now: At,
) -> Answer<Option<(Report, PublicKey)>> {
    let plane = enrolled(fleet, pdp)?;
    let payload = dsse::open("report", envelope, dsse::REPORT, &[plane.key.der()]);
    let payload = payload.map_err(|refusal| match refusal.code {
        pdp_policies::RefusalCode::SignatureThreshold => stranger(),
        code => Refusal::bad(code.as_str(), refusal.detail),
    })?;
    let report: Report = document::read("report", &payload)
        .map_err(|refusal| Refusal::bad(refusal.code.as_str(), refusal.detail))?;
    fits(plane, pdp, &report, now)?;
    if is_last(plane, &report, hash)? {
        return Ok(None);
    }
    // Only what its own key signed counts: nobody else can use up its quota.
    allowed(plane, now)?;
    Ok(Some((report, plane.key)))
}

/// Is it of this data plane, this cluster and this time?
fn fits(plane: &Plane, pdp: &PdpId, report: &Report, now: At) -> Answer<()> {
    if (&report.organization, &report.data_plane) != (&pdp.organization, &pdp.data_plane) {
        return Err(Refusal::forbidden("the report is of another data plane"));
    }
    if report.cluster_id != plane.cluster_id {
        let message = "the cluster is not the one that enrolled";
        return Err(
            Refusal::conflict("OtherCluster", message).hint("was the identity copied? enrol each cluster")
        );
    }
    if report.issued.unix() > now.unix() + CLOCK_TOLERANCE {
        return Err(Refusal::unprocessable(
            "ClockSkew",
            format!("issued {}, but it is {now}", report.issued),
        ));
    }
    if report.expires <= now {
        return Err(Refusal::unprocessable("Expired", format!("it expired at {}", report.expires)));
    }
    Ok(())
}

/// As [`is_last`], if the key that signed it is still the data plane's.
fn again(fleet: &Fleet, pdp: &PdpId, key: PublicKey, report: &Report, hash: Digest) -> Answer<bool> {
    let plane = enrolled(fleet, pdp)?;
    if plane.key != key {
        return Err(stranger());
    }
    is_last(plane, report, hash)
}

/// True for the one that was taken last.
fn is_last(plane: &Plane, report: &Report, hash: Digest) -> Answer<bool> {
    match &plane.reported {
        Some((_, known)) if *known == hash => Ok(true),
        Some((issued, _)) if report.issued < *issued => {
            Err(Refusal::conflict("OlderThanLast", format!("one of {issued} was taken already")))
        }
        _ => Ok(false),
    }
}

fn allowed(plane: &Plane, now: At) -> Answer<()> {
    let mut used = plane.reports.lock().unwrap_or_else(PoisonError::into_inner);
    used.take(REPORTS, now).map_err(|wait| {
        let message = format!("more than {} reports at once, and one every {}", REPORTS.burst, REPORTS.every);
        Refusal::too_many("TooManyReports", message, wait)
            .hint("report what changed, and wait as Retry-After says")
    })
}

/// What a report means for the rollout of its level.
fn meaning(server: &Server, pdp: &PdpId, line: &Line, report: &Report, now: At) -> Answer<Vec<Event>> {
    let Some(target) = &report.target else { return Ok(Vec::new()) };
    let catalog = server.catalog.load();
    let catalog = catalog.as_ref().ok_or_else(Refusal::no_catalog)?;
    let unknown = || {
        Refusal::unprocessable(
            "UnknownLevel",
            format!("the channel doesn't promote level {} so", target.level),
        )
    };
    let channel = catalog.channel(line).ok_or_else(unknown)?;
    // What runs a pruned level goes on with it and says so: it is heard, and counts for no rollout.
    if channel.may_be_pruned(target.level) {
        return Ok(Vec::new());
    }
    let promotion =
        channel.levels.get(&target.level).filter(|p| p.sha256 == target.sha256).ok_or_else(unknown)?;
    let fleet = server.fleet();
    let ring = fleet.ring(pdp).ok_or_else(|| Refusal::not_found("the organization has no ring"))?;
    let plane = fleet.planes.get(pdp);
    let last = plane.and_then(|plane| plane.target.as_ref());
    let wellness = plane.map_or(Wellness::Unknown, |plane| plane.wellness);
    let heard = Heard { pdp, ring, issued: report.issued, target, last, wellness };
    let rollout = fleet.rollout(&channel.line, target.level);
    let events = hear(channel, promotion, rollout, heard, now).map_err(|unheard| match unheard {
        Unheard::NeverOpened => Refusal::unprocessable(
            "LevelNeverOpened",
            format!("level {} was never opened to anybody", target.level),
        ),
        Unheard::Older => Refusal::conflict("OlderThanLast", "a later attempt was granted meanwhile"),
    })?;
    let of_rollout = |event| Event::of_rollout(&channel.line, target.level, promotion.sha256, event);
    Ok(events.into_iter().map(of_rollout).collect())
}
