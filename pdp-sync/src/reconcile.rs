//! The driver: one pass of pdp-sync. Fetch, decide, act; whatever was begun goes first.

use std::sync::Arc;

use pdp_policies::decision::{DecisionRecord, Evidence, Phase, PolicyMark};
use pdp_policies::gate::{self, Candidate, Permit, Situation, Verdict};
use pdp_policies::trust::Catalog;
use pdp_policies::{At, Digest, Obstacle, ObstacleCode, PresentVersion, Refusal, Ring, document};
use pdp_transport::cli::failure::{Result, internal};

use crate::connection::Connection;
use crate::content::{Approvals, HandedReports, SignedApproval};
use crate::customer::Customer;
use crate::endpoints::Endpoints;
use crate::fault;
use crate::fetch::{self, Fetched, LastCatalog};
use crate::identity::{self, Identity};
use crate::images;
use crate::instruct;
use crate::learned;
use crate::moving;
use crate::preflight::Trouble;
use crate::report;
use crate::state::State;
use crate::status::{InstructionStatus, Outcome, Seen};
use crate::subscription::Subscription;
use crate::target::{Found, Preflight, Progress, Target};
use crate::time::Clock;

/// One data plane: what its customer wants, where a pass goes for it, the approvals at hand, and what this process
/// verified and saw last.
#[derive(Debug, Clone)]
pub(crate) struct Plane {
    pub(crate) customer: Customer,
    pub(crate) endpoints: Endpoints,
    approvals: Option<Approvals>,
    pub(crate) reports_of: HandedReports,
    pub(crate) last: Arc<LastCatalog>,
    images: Arc<images::Seen>,
}

impl Plane {
    /// # Errors
    /// An address that isn't one, or that the administrator doesn't allow.
    pub(crate) fn of(
        subscription: &Subscription,
        connection: &Connection,
        last: &Arc<LastCatalog>,
        images: &Arc<images::Seen>,
    ) -> Result<Self> {
        let (customer, endpoints) = (Customer::of(subscription), Endpoints::of(subscription, connection)?);
        let (approvals, reports_of) =
            (subscription.spec.approvals.clone(), subscription.spec.reports_of.clone());
        let (last, images) = (Arc::clone(last), Arc::clone(images));
        Ok(Self { customer, endpoints, approvals, reports_of, last, images })
    }

    /// All approvals at hand, not judged.
    pub(crate) fn approvals(&self) -> Vec<SignedApproval> {
        self.approvals.as_ref().map(Approvals::all).unwrap_or_default()
    }
}

/// One pass. What can't be done now is an outcome, not an error.
pub(crate) fn pass(plane: &Plane, state: &mut State, target: &dyn Target, clock: &Clock) -> Outcome {
    follow(plane, state, target, clock)
        .unwrap_or_else(|failure| Outcome::default().with(Seen::Unavailable(failure)))
}

fn follow(plane: &Plane, state: &mut State, target: &dyn Target, clock: &Clock) -> Result<Outcome> {
    let Plane { customer, endpoints, .. } = plane;
    let windows = customer.policy.windows_in_words(clock.now());
    let zones = customer.zones.status(&customer.policy, clock.now());
    let mut outcome = Outcome { windows, zones: Some(zones), ..Outcome::default() };
    take_back(customer, state)?;
    if state.unfinished().is_some() {
        // Needs no vendor: no catalog, no registry, no server.
        let identities = identity::known(endpoints, customer, state, clock.now());
        match carry_on(customer, &identities, state, target, clock)? {
            Progress::Ended(applied) => outcome.applied = Some(applied),
            Progress::UnderWay(under_way) => return Ok(outcome.with(Seen::UnderWay(under_way))),
        }
    }
    outcome.tidied = target.tidy(state)?;
    let fetched = fetch::fetch(plane, &plane.approvals(), state, &mut outcome.moves, clock)?;
    let mut fetched = match fetched {
        Ok(fetched) => fetched,
        Err(seen) => return Ok(outcome.with(seen)),
    };
    outcome.remember(&fetched.catalog, customer, state, clock.now());
    outcome.ineffective = ineffective(customer, &fetched.catalog, state, clock.now());
    target.trust(state, &fetched.catalog)?;
    let moved = moving::adopt(endpoints, customer, state, clock.now())?;
    outcome.moves.get_or_insert_default().extend(moved);
    let found = found(customer, state, target)?;
    let mut verdict = decide(customer, &fetched, state, &found, clock.now());
    if let Ok(Verdict::NeedsGrant(waiting)) = &verdict {
        let Fetched { catalog, heard, .. } = &mut fetched;
        instruct::ask(customer, state, catalog, waiting, heard, clock.now())?;
        verdict = decide(customer, &fetched, state, &found, clock.now());
    }
    outcome.instruction = instruction_status(customer, &fetched, state);
    outcome.trouble = fetched.heard.trouble.clone();
    if verdict.as_ref().is_ok_and(|verdict| verdict.waiting().is_some()) {
        outcome.candidates = when(customer, &fetched, state, &found, clock.now())?;
    }
    let mut outcome = match verdict {
        Err(refusal) => outcome.with(Seen::Refused { refusal, behind: false }),
        Ok(verdict) => act(verdict, plane, &fetched, state, target, found, outcome, clock)?,
    };
    learned::health(customer, state, &outcome, clock.now())?;
    report::keep(customer, state, clock.now())?;
    let poll_after = instruct::poll_after(&fetched.heard);
    if let Some(identity) = fetched.heard.identity {
        if let Err(failure) = report::send(customer, state, &outcome, &identity, clock.now()) {
            tracing::warn!(
                code = failure.code,
                "the report didn't arrive; the next pass tries again: {failure}"
            );
        }
        outcome.next_poll = Some((identity, poll_after));
    }
    Ok(outcome)
}

/// What the target found, and what the customer's wishes add to it.
pub(crate) fn found(customer: &Customer, state: &State, target: &dyn Target) -> Result<Found> {
    let mut found = target.found(state)?;
    found.obstacles.extend(rolled_back(customer).into_iter().chain(customer.zones.obstacle()));
    Ok(found)
}

/// What the gate says of what was fetched; nothing is asked and nothing is written.
pub(crate) fn decide(
    customer: &Customer,
    fetched: &Fetched,
    state: &State,
    found: &Found,
    now: At,
) -> std::result::Result<Verdict, Refusal> {
    situated(customer, fetched, state, found, |situation| {
        gate::decide(&fetched.catalog, &customer.policy, situation, now)
    })
}

/// When each level above the installed one can start.
pub(crate) fn when(
    customer: &Customer,
    fetched: &Fetched,
    state: &State,
    found: &Found,
    now: At,
) -> std::result::Result<Vec<Candidate>, Refusal> {
    situated(customer, fetched, state, found, |situation| {
        gate::when(&fetched.catalog, &customer.policy, situation, now)
    })
}

/// What the gate has to know of this data plane.
fn situated<T>(
    customer: &Customer,
    fetched: &Fetched,
    state: &State,
    found: &Found,
    judge: impl FnOnce(&Situation<'_>) -> T,
) -> T {
    let own = &customer.policy.own_images;
    let failed = state.record.as_ref().map(|record| record.quarantined_under(own)).unwrap_or_default();
    let version = own_version();
    let inputs = &customer.inputs;
    // Before enrolment no ring is known: nothing is open to a ring that the plan doesn't have.
    let unknown = Ring::unknown();
    judge(&Situation {
        pdp: &customer.pdp,
        line: &customer.line,
        ring: identity::own_ring(customer, state).unwrap_or(&unknown),
        installed: state.record.as_ref().and_then(DecisionRecord::installed),
        quarantined: &failed,
        pdp_sync: &version,
        itself: inputs.flux.is_some().then_some((inputs.platform, &inputs.left_out)),
        kubernetes: found.kubernetes.as_ref(),
        flux: found.flux.as_ref(),
        found: &found.obstacles,
        instruction: fetched.heard.instruction(customer.opener),
        approvals: &fetched.heard.approvals,
        uncounted: &fetched.heard.uncounted,
        others: &fetched.others,
        usual_length: gate::usual_length(&state.lengths),
        policy_before: state.policy.as_ref(),
    })
}

/// Does what the verdict says: starts what has a permit, keeps what waits.
#[expect(clippy::too_many_arguments, reason = "where a decision meets the place where it is carried out")]
fn act(
    verdict: Verdict,
    plane: &Plane,
    fetched: &Fetched,
    state: &mut State,
    target: &dyn Target,
    found: Found,
    outcome: Outcome,
    clock: &Clock,
) -> Result<Outcome> {
    let customer = &plane.customer;
    let Verdict::Proceed(permit) = verdict else {
        keep_policy(customer, state, &outcome.ineffective)?;
        keep_candidate(customer, state, &fetched.catalog, &verdict)?;
        target.clear(state)?;
        return Ok(outcome.with(Seen::Verdict(verdict, found.obstacles)));
    };
    start(plane, fetched, state, target, *permit, outcome, clock)
}

/// The version of this pdp-sync.
pub(crate) fn own_version() -> PresentVersion {
    env!("CARGO_PKG_VERSION").parse().unwrap_or_else(|_| semver::Version::new(0, 0, 0).into())
}

/// Who opens levels here, for the status.
fn instruction_status(customer: &Customer, fetched: &Fetched, state: &State) -> Option<InstructionStatus> {
    let heard = &fetched.heard;
    let own = identity::own_ring(customer, state)?;
    let plan = &fetched.catalog.channel(&customer.line)?.plan;
    let ring = gate::effective_ring(plan, own, heard.instruction(customer.opener));
    let assigned = heard.assignment().map(|assignment| &assignment.ring);
    let earlier = assigned.filter(|ring| plan.position(ring) < plan.position(own));
    let (issued, expires) = heard.dates().unzip();
    Some(InstructionStatus {
        by: customer.opener.name().to_owned(),
        ring: ring.clone(),
        earlier_ring: earlier.cloned(),
        ceiling: heard.assignment().and_then(|a| Some(a.ceiling.as_ref()?.level)),
        issued,
        expires,
        poll_after: heard.assignment().map(|_| instruct::poll_after(heard)),
    })
}

/// Preflight, record, apply: the record is stored before the first write.
fn start(
    plane: &Plane,
    fetched: &Fetched,
    state: &mut State,
    target: &dyn Target,
    permit: Permit,
    mut outcome: Outcome,
    clock: &Clock,
) -> Result<Outcome> {
    let Plane { customer, endpoints, .. } = plane;
    let (policy, catalog) = (&customer.policy, &fetched.catalog);
    let bytes = document::write(policy).map_err(internal)?;
    let changes = state.policy.as_ref().map(|before| policy.loosened(before)).unwrap_or_default();
    let evidence = Evidence {
        catalog: catalog.versions(),
        inputs: moving::inputs(endpoints, customer, state, &permit.descriptor().release, clock.now()),
        policy: PolicyMark {
            digest: Digest::of(&bytes),
            changed_by: None,
            loosened: !changes.is_empty(),
            changes,
        },
        now: clock.now(),
    };
    let record = DecisionRecord::begin(permit, state.record.as_ref(), evidence);
    let level = record.target_digest();
    let images = || images::missing(endpoints, &plane.images, &record);
    match target.preflight(state, catalog, &record, &images)? {
        Preflight::Ready => {}
        Preflight::NotYet(components) => return Ok(outcome.with(Seen::Preflight(level, components))),
        Preflight::Blocked(obstacles) => return Ok(outcome.with(Seen::Blocked(level, obstacles))),
        Preflight::Trouble(Trouble::Unavailable(error)) => {
            return Ok(outcome.with(Seen::Unavailable(error.into())));
        }
        Preflight::Trouble(Trouble::Refused(refusal)) => {
            return Ok(outcome.with(Seen::Refused { refusal, behind: false }));
        }
    }
    fault::point("before-record");
    state.save_record(record)?;
    state.save_policy(policy)?;
    fault::point("after-record");
    match carry_on(customer, fetched.heard.identity.as_slice(), state, target, clock)? {
        Progress::Ended(applied) => outcome.applied = Some(applied),
        Progress::UnderWay(under_way) => return Ok(outcome.with(Seen::UnderWay(under_way))),
    }
    Ok(outcome.with(Seen::Started))
}

/// Goes on with what the record says. The server hears of it before the first write and now and then after, if
/// it can be reached at one of its addresses: what was begun goes on all the same.
fn carry_on(
    customer: &Customer,
    identities: &[Identity],
    state: &mut State,
    target: &dyn Target,
    clock: &Clock,
) -> Result<Progress> {
    let alive = |state: &mut State| {
        for identity in identities {
            match report::started(customer, state, identity, clock.now()) {
                Ok(()) => break,
                Err(failure) => {
                    tracing::warn!(code = failure.code, "the server doesn't hear of the start: {failure}");
                }
            }
        }
    };
    alive(state);
    let progress = target.carry_on(state, clock, &alive)?;
    if let Progress::Ended(applied) = &progress {
        learned::length(state, applied, clock.now())?;
    }
    Ok(progress)
}

/// A person asked to leave the installed level: that is a decision too, recorded before anything moves.
fn take_back(customer: &Customer, state: &mut State) -> Result<()> {
    let (Some(wish), Some(record)) = (&customer.rollback, &state.record) else { return Ok(()) };
    let at_it = record.target().level == wish.from && matches!(record.phase(), Phase::Done {});
    if at_it && record.last_good().is_some() {
        let record = record.clone().in_phase(Phase::TakingBack {});
        state.save_record(record)?;
    }
    Ok(())
}

/// As long as the wish stands, nothing starts.
fn rolled_back(customer: &Customer) -> Option<Obstacle> {
    let wish = customer.rollback.as_ref()?;
    let detail = format!("a person went back from level {}: {}", wish.from, wish.reason);
    Some(Obstacle::new(ObstacleCode::Frozen, None, detail))
}

/// What of the policy protects nothing, or can never be met.
pub(crate) fn ineffective(customer: &Customer, catalog: &Catalog, state: &State, now: At) -> Vec<String> {
    let (policy, before) = (&customer.policy, state.policy.as_ref());
    let installed =
        state.record.as_ref().and_then(DecisionRecord::installed).map(|installed| installed.level);
    let problems = match catalog.channel(&customer.line) {
        Some(channel) => policy.ineffective_in(channel, installed, before, now),
        None => policy.ineffective(before, now),
    };
    problems.into_iter().chain(customer.zones.problem().map(str::to_owned)).collect()
}

/// The strictest policy since the last decision is what the next one is compared with: one that was loosened while
/// a level waited for something else is no secret. One that does not do what it says was never in force.
fn keep_policy(customer: &Customer, state: &mut State, ineffective: &[String]) -> Result<()> {
    let policy = &customer.policy;
    match &state.policy {
        _ if !ineffective.is_empty() => Ok(()),
        Some(before) if policy.looser_than(before) => {
            let kept = before.stricter(policy);
            if kept == *before { Ok(()) } else { state.save_policy(&kept) }
        }
        _ => state.save_policy(policy),
    }
}

/// What waits is kept where people can look at it, in a cluster.
fn keep_candidate(
    customer: &Customer,
    state: &mut State,
    catalog: &Catalog,
    verdict: &Verdict,
) -> Result<()> {
    let Some(waiting) = verdict.waiting() else { return Ok(()) };
    if let (Some(_), Ok(descriptor)) = (&customer.inputs.flux, catalog.release(&customer.line, waiting.level))
    {
        state.save_candidate(&descriptor.bytes)?;
    }
    Ok(())
}
