//! The driver: one pass of pdp-sync. Fetch, decide, act; whatever was begun goes first.

use std::collections::BTreeSet;

use pdp_policies::decision::{DecisionRecord, Evidence, Inputs, PolicyMark};
use pdp_policies::gate::{self, Permit, Situation, Verdict};
use pdp_policies::trust::{Catalog, Verified};
use pdp_policies::{Digest, Obstacle, Ring, document};
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::oci::{Registry, Repository};

use crate::apply::{self, Applied};
use crate::fault;
use crate::fetch::{self, Fetched};
use crate::identity;
use crate::instruct::{self, Heard, Listened};
use crate::preflight::{self, Trouble};
use crate::report;
use crate::state::State;
use crate::status::{InstructionStatus, Outcome, Seen};
use crate::subscription::Subscription;
use crate::target::{self, GitTarget};
use crate::time::Clock;

/// One pass. What can't be done now is an outcome, not an error.
pub(crate) fn pass(subscription: &Subscription, state: &mut State, clock: &Clock) -> Outcome {
    follow(subscription, state, clock)
        .unwrap_or_else(|failure| Outcome::default().with(Seen::Unavailable(failure)))
}

fn follow(subscription: &Subscription, state: &mut State, clock: &Clock) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    if state.unfinished().is_some() {
        // Needs no vendor: no catalog, no registry, no server.
        outcome.applied = Some(apply_record(subscription, state, clock)?);
    }
    let (catalog, mut heard) = match fetch_and_listen(subscription, state, clock)? {
        Ok(both) => both,
        Err(seen) => return Ok(outcome.with(seen)),
    };
    outcome.remember(&catalog, clock.now());
    let found = foreign_edits(subscription, state)?;
    let mut verdict = decide(subscription, state, &catalog, &heard, &found, clock);
    if let Ok(Verdict::NeedsGrant(waiting)) = &verdict {
        instruct::ask(subscription, state, &catalog, waiting, &mut heard, clock.now())?;
        verdict = decide(subscription, state, &catalog, &heard, &found, clock);
    }
    outcome.instruction = instruction_status(subscription, state, &catalog, &heard);
    outcome.trouble = heard.trouble.clone();
    let mut outcome = match verdict {
        Err(refusal) => outcome.with(Seen::Refused { refusal, behind: false }),
        Ok(Verdict::Proceed(permit)) => start(subscription, state, &catalog, *permit, outcome, clock)?,
        Ok(verdict) => {
            state.save_policy(&subscription.spec.policy)?;
            outcome.with(Seen::Verdict(verdict, found))
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

/// What the gate would say now; nothing is written.
pub(crate) fn decide(
    subscription: &Subscription,
    state: &State,
    catalog: &Verified<Catalog>,
    heard: &Heard,
    found: &[Obstacle],
    clock: &Clock,
) -> std::result::Result<Verdict, pdp_policies::Refusal> {
    let none = BTreeSet::new();
    let version = semver::Version::parse(env!("CARGO_PKG_VERSION")).unwrap_or(semver::Version::new(0, 0, 0));
    // Before enrolment no ring is known: nothing is open to a ring that the plan doesn't have.
    let unknown = Ring::unknown();
    let situation = Situation {
        pdp: &subscription.pdp(),
        line: &subscription.spec.line,
        ring: identity::own_ring(subscription, state).unwrap_or(&unknown),
        installed: state.record.as_ref().and_then(DecisionRecord::installed),
        quarantined: state.record.as_ref().map_or(&none, DecisionRecord::quarantined),
        pdp_sync: &version,
        kubernetes: None,
        flux: None,
        found,
        instruction: heard.instruction(&subscription.spec.instruction),
        approvals: &heard.approvals,
    };
    gate::decide(catalog, &subscription.spec.policy, &situation, clock.now())
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

/// Preflight, record, apply: the record is on disk before the first write.
fn start(
    subscription: &Subscription,
    state: &mut State,
    catalog: &Verified<Catalog>,
    permit: Permit,
    mut outcome: Outcome,
    clock: &Clock,
) -> Result<Outcome> {
    let inputs = inputs(subscription);
    match preflight(subscription, catalog, &permit, &inputs)? {
        Ok(()) => {}
        Err(Trouble::Unavailable(error)) => return Ok(outcome.with(Seen::Unavailable(error.into()))),
        Err(Trouble::Refused(refusal)) => return Ok(outcome.with(Seen::Refused { refusal, behind: false })),
    }
    let policy = &subscription.spec.policy;
    let bytes = document::write(policy).map_err(internal)?;
    let evidence = Evidence {
        catalog: catalog.versions(),
        inputs,
        policy: PolicyMark {
            digest: Digest::of(&bytes),
            changed_by: None,
            loosened: state.policy.as_ref().is_some_and(|before| policy.looser_than(before)),
        },
        now: clock.now(),
    };
    let record = DecisionRecord::begin(permit, state.record.as_ref(), evidence);
    let made = GitTarget::open(subscription, &state.cache("target"))?;
    let strangers =
        target::foreign(&made.head()?.files, &apply::all_files(made.place, &record), &state.written);
    if !strangers.is_empty() {
        return Ok(outcome.with(Seen::Blocked(record.target_digest(), strangers)));
    }
    fault::point("before-record");
    state.save_record(record)?;
    state.save_policy(policy)?;
    fault::point("after-record");
    outcome.applied = Some(apply_record(subscription, state, clock)?);
    Ok(outcome.with(Seen::Started))
}

/// Applies what the record says. The server hears of it before the first write and now and then after, if it
/// can be reached: what was begun goes on all the same.
fn apply_record(subscription: &Subscription, state: &mut State, clock: &Clock) -> Result<Applied> {
    let identity = identity::known(subscription, state);
    let alive = |state: &mut State| {
        let told =
            identity.as_ref().map(|identity| report::started(subscription, state, identity, clock.now()));
        if let Some(Err(failure)) = told {
            tracing::warn!(code = failure.code, "the server doesn't hear of the start: {failure}");
        }
    };
    alive(state);
    let target = GitTarget::open(subscription, &state.cache("target"))?;
    apply::carry_on(state, &target, subscription.spec.probe.as_ref(), clock, &alive)
}

/// Edits by others in what we wrote. Only files that pdp-sync wrote can be edited.
fn foreign_edits(subscription: &Subscription, state: &State) -> Result<Vec<Obstacle>> {
    if state.written.is_empty() {
        return Ok(Vec::new());
    }
    let made = GitTarget::open(subscription, &state.cache("target"))?;
    Ok(target::foreign(&made.head()?.files, &Default::default(), &state.written))
}

fn preflight(
    subscription: &Subscription,
    catalog: &Catalog,
    permit: &Permit,
    inputs: &Inputs,
) -> Result<std::result::Result<(), Trouble>> {
    let release = &permit.descriptor().release;
    let named: Repository = release.bundle.repository.parse()?;
    let repository = match &inputs.mirror {
        Some(mirror) => named.mirrored(mirror)?,
        None => named,
    };
    let registry = Registry::new(&fetch::oci_options(subscription))?;
    let components = release.components_for(inputs.platform, &inputs.left_out);
    let (keys, signatures) = (catalog.artifact_keys(), subscription.spec.signatures);
    Ok(fetch::block_on(preflight::check(&registry, &repository, release, &components, keys, signatures))?)
}

pub(crate) fn inputs(subscription: &Subscription) -> Inputs {
    Inputs {
        mirror: subscription.spec.mirror.clone(),
        platform: subscription.spec.platform,
        left_out: subscription.spec.leave_out.clone(),
    }
}
