//! What leaves this data plane: levels, digests and codes from closed lists, signed with its own key.

use pdp_policies::decision::{DecisionRecord, Phase};
use pdp_policies::gate::Waiting;
use pdp_policies::report::{CatalogVersions, Report, ReportCode, ReportState, TargetState};
use pdp_policies::{API_VERSION, At, Digest, HandedReport, ObstacleCode, Owner, Span, document, dsse};
use pdp_transport::block_on;
use pdp_transport::cli::failure::{Result, internal};

use crate::customer::Customer;
use crate::identity::{self, Identity};
use crate::state::{Handed, Reported, State};
use crate::status::{Outcome, Seen};
use crate::subscription::Reports;
use crate::target::Tidied;

/// While a level is under way: silence would count as failure.
const BUSY_EVERY: Span = Span::from_seconds(300);
/// Otherwise, even if nothing changes; polls show that this data plane lives.
const IDLE_EVERY: Span = Span::from_seconds(6 * 3600);
/// While others may wait for it to be healthy for long enough.
const NEWLY_HEALTHY_EVERY: Span = Span::from_seconds(3600);
/// Nobody waits for longer.
const NEWLY_HEALTHY: Span = Span::from_seconds(14 * 86_400);
/// A report is worth nothing after this long.
const LIFE: Span = Span::from_seconds(24 * 3600);

/// Tells the server what the pass saw, if the customer lets it and there is something to tell.
pub(crate) fn send(
    customer: &Customer,
    state: &mut State,
    outcome: &Outcome,
    identity: &Identity,
    now: At,
) -> Result<()> {
    if customer.reports == Reports::None {
        return Ok(());
    }
    let target = target(customer, state, outcome).map(|target| with_foreign(target, &outcome.tidied));
    tell(customer, state, target, outcome.versions, identity, now)
}

/// Of what is installed alone.
fn healthy_since(state: &State) -> Option<At> {
    let installed = state.record.as_ref().and_then(DecisionRecord::installed)?;
    state.healthy.as_ref().filter(|healthy| healthy.sha256 == installed.sha256).map(|healthy| healthy.since)
}

/// Tells that a level is under way: before anything is written, and every few minutes until it is done.
pub(crate) fn started(customer: &Customer, state: &mut State, identity: &Identity, now: At) -> Result<()> {
    let Some(record) = state.record.as_ref().filter(|_| customer.reports == Reports::Full) else {
        return Ok(());
    };
    let (target, versions) = (of_record(record, ReportState::Started, None), record.catalog());
    tell(customer, state, Some(target), Some(versions), identity, now)
}

fn tell(
    customer: &Customer,
    state: &mut State,
    target: Option<TargetState>,
    versions: Option<CatalogVersions>,
    identity: &Identity,
    now: At,
) -> Result<()> {
    let pdp = &customer.pdp;
    let undated = undated(customer, state, target, versions);
    let content = content(&undated)?;
    let busy = undated.target.as_ref().is_some_and(|target| target.state == ReportState::Started);
    let every = if busy { BUSY_EVERY } else { idle_every(&undated, now) };
    let fresh =
        |told: &Reported| told.content == content && now.seconds_since(told.at).abs() < every.seconds();
    if state.reported.as_ref().is_some_and(fresh) {
        return Ok(());
    }
    // Never older than the one that arrived last, even if the clock was set back meanwhile.
    let after = state.reported.as_ref().map(|told| told.at.plus(Span::from_seconds(1)));
    let issued = after.map_or(now, |after| after.max(now));
    let report = Report { issued, expires: issued.plus(LIFE), ..undated };
    let envelope = identity.key.seal(dsse::REPORT, &report)?;
    block_on(identity.server.report(pdp, &customer.line, envelope))??;
    state.save_reported(Reported { content, at: issued })
}

/// Keeps a report for those that wait for this data plane, whether or not a server hears of it. Nothing is kept where nobody
/// measures health: it would say nothing.
pub(crate) fn keep(customer: &Customer, state: &mut State, now: At) -> Result<()> {
    if !customer.measures_health || state.record.is_none() {
        return Ok(());
    }
    let undated = undated(customer, state, None, None);
    let content = content(&undated)?;
    let every = idle_every(&undated, now).seconds();
    let fresh = |told: &Reported| told.content == content && now.seconds_since(told.at).abs() < every;
    if state.handed.as_ref().is_some_and(|handed| fresh(&handed.told)) {
        return Ok(());
    }
    let key = identity::own_key(state)?;
    let envelope = key.seal(dsse::REPORT, &Report { issued: now, expires: now.plus(LIFE), ..undated })?;
    let envelope = String::from_utf8(envelope).map_err(internal)?;
    let report = HandedReport { public_key: key.public_pem(), envelope };
    state.save_handed(Handed { report, told: Reported { content, at: now } })
}

fn idle_every(report: &Report, now: At) -> Span {
    let new = report.healthy_since.is_some_and(|since| now.seconds_since(since) < NEWLY_HEALTHY.seconds());
    if new { NEWLY_HEALTHY_EVERY } else { IDLE_EVERY }
}

/// A report without its dates.
fn undated(
    customer: &Customer,
    state: &State,
    target: Option<TargetState>,
    versions: Option<CatalogVersions>,
) -> Report {
    let pdp = &customer.pdp;
    Report {
        api_version: API_VERSION.to_owned(),
        critical: Vec::new(),
        issued: At::from_unix(0),
        expires: At::from_unix(0),
        organization: pdp.organization.clone(),
        data_plane: pdp.data_plane.clone(),
        cluster_id: customer.cluster_id,
        current: state.record.as_ref().and_then(DecisionRecord::installed),
        healthy_since: healthy_since(state),
        target,
        catalog: versions.unwrap_or_default(),
        pdp_sync: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// What a report says, whenever it is said and whatever catalog was looked at.
fn content(report: &Report) -> Result<Digest> {
    let content = Report { catalog: CatalogVersions::default(), ..report.clone() };
    Ok(Digest::of(&document::write(&content).map_err(internal)?))
}

/// What runs here and wasn't signed is told whatever level matters.
fn with_foreign(mut target: TargetState, tidied: &Tidied) -> TargetState {
    if !tidied.foreign.is_empty() {
        target.codes.push(ReportCode::Obstacle(ObstacleCode::ForeignImage));
    }
    target
}

/// How far this data plane is with the level that matters most.
fn target(customer: &Customer, state: &State, outcome: &Outcome) -> Option<TargetState> {
    if let Some(waiting) = outcome.waiting() {
        return Some(of_waiting(waiting, state.record.as_ref()));
    }
    let record = state.record.as_ref()?;
    let (reached, component) = match record.phase() {
        Phase::Applying {} => (ReportState::Started, None),
        // The customer's own decision; the vendor is told no more than that.
        Phase::TakingBack {} | Phase::TakenBack {} => (ReportState::Deferred, None),
        Phase::GoingBack { component, .. } | Phase::Quarantined { component, .. } => {
            (ReportState::Failed, Some(component.clone()))
        }
        // With a probe, or in a cluster, a level is done only when it is healthy and settled.
        Phase::Done {} if customer.measures_health => (ReportState::Healthy, None),
        Phase::Done {} => (ReportState::Written, None),
    };
    let mut target = of_record(record, reached, component);
    if let Seen::Refused { refusal, .. } = &outcome.seen {
        target.codes.push(ReportCode::Refusal(refusal.code));
    }
    Some(target)
}

fn of_record(
    record: &DecisionRecord,
    state: ReportState,
    component: Option<pdp_policies::ComponentName>,
) -> TargetState {
    let digest = record.target_digest();
    let (level, sha256, attempt) = (digest.level, digest.sha256, record.attempt());
    TargetState { level, sha256, attempt, state, component, codes: Vec::new() }
}

fn of_waiting(waiting: &Waiting, record: Option<&DecisionRecord>) -> TargetState {
    let tried = record.and_then(|record| record.quarantined().get(&waiting.sha256));
    let customer = waiting.obstacles.iter().any(|o| o.owner == Owner::Customer);
    let ready = waiting.obstacles.iter().all(|o| o.code == ObstacleCode::NoGrant);
    let state = match (customer, ready) {
        (true, _) => ReportState::Deferred,
        (false, true) => ReportState::Ready,
        (false, false) => ReportState::Waiting,
    };
    // A level that failed here stays failed, whatever else stands in its way now.
    let failed = waiting.obstacles.iter().any(|o| o.code == ObstacleCode::Quarantined);
    let component = record.filter(|record| failed && record.target_digest().sha256 == waiting.sha256);
    TargetState {
        level: waiting.level,
        sha256: waiting.sha256,
        attempt: tried.copied().unwrap_or(1),
        state: if failed { ReportState::Failed } else { state },
        component: component.and_then(|record| record.phase().failed().cloned()),
        codes: waiting.obstacles.iter().map(|o| ReportCode::Obstacle(o.code)).collect(),
    }
}

impl Outcome {
    fn waiting(&self) -> Option<&Waiting> {
        match &self.seen {
            Seen::Verdict(verdict, _) => verdict.waiting(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use pdp_policies::Level;

    use super::*;

    #[test]
    fn a_foreign_image_is_reported_as_a_code_without_words() {
        let target = TargetState {
            level: Level(41),
            sha256: Digest::of(b"41"),
            attempt: 1,
            state: ReportState::Healthy,
            component: None,
            codes: Vec::new(),
        };
        let words = "Deployment apps/agent, container app: secret.example/x:1".to_owned();
        let tidied =
            Tidied { foreign: BTreeMap::from([("agent".parse().unwrap(), words)]), ..Tidied::default() };
        let told = serde_json::to_value(with_foreign(target.clone(), &tidied)).unwrap();
        assert_eq!(told["codes"], serde_json::json!([{ "obstacle": "ForeignImage" }]));
        assert!(!told.to_string().contains("secret.example"));
        assert!(with_foreign(target, &Tidied::default()).codes.is_empty());
    }
}
