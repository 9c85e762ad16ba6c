//! The driver: one pass of pdp-sync. Fetch, decide, act; whatever was begun goes first.

use std::collections::BTreeMap;

use pdp_policies::decision::{DecisionRecord, Evidence, Inputs, Phase, PolicyMark};
use pdp_policies::gate::{self, Permit, Situation, Verdict, Waiting};
use pdp_policies::trust::{Catalog, Verified};
use pdp_policies::{Digest, Obstacle, ObstacleCode, Refusal, RefusalCode, Ring, document};
use pdp_transport::cli::failure::{Result, internal};

use crate::fault;
use crate::fetch::{self, Fetched};
use crate::identity;
use crate::instruct::{self, Heard, Listened};
use crate::preflight::Trouble;
use crate::report;
use crate::state::State;
use crate::status::{InstructionStatus, Outcome, Seen};
use crate::subscription::{self, Subscription};
use crate::target::{Found, Preflight, Progress, Target};
use crate::time::Clock;

/// One pass. What can't be done now is an outcome, not an error.
pub(crate) fn pass(
    subscription: &Subscription,
    state: &mut State,
    target: &dyn Target,
    clock: &Clock,
) -> Outcome {
    follow(subscription, state, target, clock)
        .unwrap_or_else(|failure| Outcome::default().with(Seen::Unavailable(failure)))
}

fn follow(
    subscription: &Subscription,
    state: &mut State,
    target: &dyn Target,
    clock: &Clock,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    take_back(subscription, state)?;
    if state.unfinished().is_some() {
        // Needs no vendor: no catalog, no registry, no server.
        match carry_on(subscription, state, target, clock)? {
            Progress::Ended(applied) => outcome.applied = Some(applied),
            Progress::UnderWay(under_way) => return Ok(outcome.with(Seen::UnderWay(under_way))),
        }
    }
    outcome.tidied = target.tidy(state)?;
    let (catalog, mut heard) = match fetch_and_listen(subscription, state, clock)? {
        Ok(both) => both,
        Err(seen) => return Ok(outcome.with(seen)),
    };
    outcome.remember(&catalog, &subscription.spec, state, clock.now());
    let mut found = target.found(state)?;
    found.obstacles.extend(rolled_back(subscription));
    let mut verdict = decide(subscription, state, &catalog, &heard, &found, clock);
    if let Ok(Verdict::NeedsGrant(waiting)) = &verdict {
        instruct::ask(subscription, state, &catalog, waiting, &mut heard, clock.now())?;
        verdict = decide(subscription, state, &catalog, &heard, &found, clock);
    }
    outcome.instruction = instruction_status(subscription, state, &catalog, &heard);
    outcome.trouble = heard.trouble.clone();
    let mut outcome = match verdict {
        Err(refusal) => outcome.with(Seen::Refused { refusal, behind: false }),
        Ok(Verdict::Proceed(permit)) => {
            start(subscription, state, target, &catalog, *permit, outcome, clock)?
        }
        Ok(verdict) => {
            keep_policy(subscription, state)?;
            keep_candidate(subscription, state, &catalog, &verdict)?;
            target.clear(state)?;
            outcome.with(Seen::Verdict(verdict, found.obstacles))
        }
    };
    let poll_after = instruct::poll_after(&heard);
    if let Some(identity) = heard.identity {
        if let Err(failure) = report::send(subscription, state, &outcome, &identity, clock.now()) {
            tracing::warn!(
                code = failure.code,
                "the report didn't arrive; the next pass tries again: {failure}"
            );
        }
        outcome.next_poll = Some((identity, poll_after));
    }
    Ok(outcome)
}

type Both = (Box<Verified<Catalog>>, Box<Heard>);

/// The vendor's catalog and the word of whoever opens levels; once more if the director saw a newer catalog.
fn fetch_and_listen(
    subscription: &Subscription,
    state: &mut State,
    clock: &Clock,
) -> Result<std::result::Result<Both, Seen>> {
    let mut refetched = false;
    loop {
        let catalog = match fetch::catalog(subscription, &state.cache("catalog"), &state.floors, clock.now())
        {
            Fetched::Trusted(catalog, floors) => {
                if let Some(refusal) = older_than_decision(&catalog, state) {
                    return Ok(Err(Seen::Refused { refusal, behind: true }));
                }
                state.save_floors(floors)?;
                catalog
            }
            Fetched::Unavailable(failure) => return Ok(Err(Seen::Unavailable(failure))),
            Fetched::Refused { refusal, behind } => return Ok(Err(Seen::Refused { refusal, behind })),
        };
        match instruct::listen(subscription, state, &catalog, clock.now(), refetched)? {
            Listened::Heard(heard) => return Ok(Ok((catalog, heard))),
            Listened::FetchFirst => refetched = true,
        }
    }
}

/// The decision is a floor of its own: whoever loses the others isn't led back behind what was decided on.
fn older_than_decision(catalog: &Catalog, state: &State) -> Option<Refusal> {
    let (own, decided) = (catalog.versions().timestamp, state.record.as_ref()?.catalog().timestamp);
    let detail = format!("signed at {own}, but the last decision was made on one signed at {decided}");
    (own < decided).then(|| Refusal::new(RefusalCode::VersionFloor, "timestamp.json", detail))
}

/// What the gate would say now; nothing is written.
pub(crate) fn decide(
    subscription: &Subscription,
    state: &State,
    catalog: &Verified<Catalog>,
    heard: &Heard,
    found: &Found,
    clock: &Clock,
) -> std::result::Result<Verdict, Refusal> {
    let none = BTreeMap::new();
    let version = own_version();
    let inputs = inputs(subscription);
    // Before enrolment no ring is known: nothing is open to a ring that the plan doesn't have.
    let unknown = Ring::unknown();
    let situation = Situation {
        pdp: &subscription.pdp(),
        line: &subscription.spec.line,
        ring: identity::own_ring(subscription, state).unwrap_or(&unknown),
        installed: state.record.as_ref().and_then(DecisionRecord::installed),
        quarantined: state.record.as_ref().map_or(&none, DecisionRecord::quarantined),
        pdp_sync: &version,
        itself: inputs.flux.is_some().then_some((inputs.platform, &inputs.left_out)),
        kubernetes: found.kubernetes.as_ref(),
        flux: found.flux.as_ref(),
        found: &found.obstacles,
        instruction: heard.instruction(&subscription.spec.instruction),
        approvals: &heard.approvals,
    };
    gate::decide(catalog, &subscription.spec.policy, &situation, clock.now())
}

/// The version of this pdp-sync.
pub(crate) fn own_version() -> semver::Version {
    semver::Version::parse(env!("CARGO_PKG_VERSION")).unwrap_or(semver::Version::new(0, 0, 0))
}

/// Who opens levels here, for the status.
fn instruction_status(
    subscription: &Subscription,
    state: &State,
    catalog: &Catalog,
    heard: &Heard,
) -> Option<InstructionStatus> {
    let source = &subscription.spec.instruction;
    let own = identity::own_ring(subscription, state)?;
    let plan = &catalog.channel(&subscription.spec.line)?.plan;
    let ring = gate::effective_ring(plan, own, heard.instruction(source));
    let assigned = heard.assignment().map(|assignment| &assignment.ring);
    let earlier = assigned.filter(|ring| plan.position(ring) < plan.position(own));
    let (issued, expires) = heard.dates().unzip();
    Some(InstructionStatus {
        by: source.name().to_owned(),
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
    subscription: &Subscription,
    state: &mut State,
    target: &dyn Target,
    catalog: &Verified<Catalog>,
    permit: Permit,
    mut outcome: Outcome,
    clock: &Clock,
) -> Result<Outcome> {
    let policy = &subscription.spec.policy;
    let bytes = document::write(policy).map_err(internal)?;
    let evidence = Evidence {
        catalog: catalog.versions(),
        inputs: inputs(subscription),
        policy: PolicyMark {
            digest: Digest::of(&bytes),
            changed_by: None,
            loosened: state.policy.as_ref().is_some_and(|before| policy.looser_than(before)),
        },
        now: clock.now(),
    };
    let record = DecisionRecord::begin(permit, state.record.as_ref(), evidence);
    let level = record.target_digest();
    match target.preflight(state, catalog, &record)? {
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
    match carry_on(subscription, state, target, clock)? {
        Progress::Ended(applied) => outcome.applied = Some(applied),
        Progress::UnderWay(under_way) => return Ok(outcome.with(Seen::UnderWay(under_way))),
    }
    Ok(outcome.with(Seen::Started))
}

/// Goes on with what the record says. The server hears of it before the first write and now and then after, if
/// it can be reached: what was begun goes on all the same.
fn carry_on(
    subscription: &Subscription,
    state: &mut State,
    target: &dyn Target,
    clock: &Clock,
) -> Result<Progress> {
    let identity = identity::known(subscription, state);
    let alive = |state: &mut State| {
        let told =
            identity.as_ref().map(|identity| report::started(subscription, state, identity, clock.now()));
        if let Some(Err(failure)) = told {
            tracing::warn!(code = failure.code, "the server doesn't hear of the start: {failure}");
        }
    };
    alive(state);
    target.carry_on(state, clock, &alive)
}

/// A person asked to leave the installed level: that is a decision too, recorded before anything moves.
fn take_back(subscription: &Subscription, state: &mut State) -> Result<()> {
    let (Some(wish), Some(record)) = (&subscription.spec.rollback, &state.record) else { return Ok(()) };
    let at_it = record.target().level == wish.from && matches!(record.phase(), Phase::Done {});
    if at_it && record.last_good().is_some() {
        let record = record.clone().in_phase(Phase::TakingBack {});
        state.save_record(record)?;
    }
    Ok(())
}

/// As long as the wish stands, nothing starts.
fn rolled_back(subscription: &Subscription) -> Option<Obstacle> {
    let wish = subscription.spec.rollback.as_ref()?;
    let detail = format!("a person went back from level {}: {}", wish.from, wish.reason);
    Some(Obstacle::new(ObstacleCode::Frozen, None, detail))
}

/// The strictest policy since the last decision is what the next one is compared with: one that was loosened while
/// a level waited for something else is no secret.
fn keep_policy(subscription: &Subscription, state: &mut State) -> Result<()> {
    let policy = &subscription.spec.policy;
    match &state.policy {
        Some(before) if policy.looser_than(before) => Ok(()),
        _ => state.save_policy(policy),
    }
}

/// What waits is kept where people can look at it, in a cluster.
fn keep_candidate(
    subscription: &Subscription,
    state: &mut State,
    catalog: &Catalog,
    verdict: &Verdict,
) -> Result<()> {
    let (Verdict::WaitUntil(_, waiting)
    | Verdict::NeedsApproval(waiting)
    | Verdict::NeedsGrant(waiting)
    | Verdict::Held(waiting)) = verdict
    else {
        return Ok(());
    };
    let Waiting { level, .. } = waiting;
    if let (subscription::Target::Flux(_), Ok(descriptor)) =
        (&subscription.spec.target, catalog.release(&subscription.spec.line, *level))
    {
        state.save_candidate(&descriptor.bytes)?;
    }
    Ok(())
}

pub(crate) fn inputs(subscription: &Subscription) -> Inputs {
    Inputs {
        mirror: subscription.spec.mirror.clone(),
        platform: subscription.spec.platform,
        left_out: subscription.spec.leave_out.clone(),
        flux: match &subscription.spec.target {
            subscription::Target::Flux(inputs) => Some((**inputs).clone()),
            subscription::Target::Git { .. } => None,
        },
    }
}
