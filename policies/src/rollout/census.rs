//! Which state each PDP is in, per rollout: exactly one of ten. And how many of each a ring has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::Outcome;
use super::fold::{Rollout, Started};
use super::halt::Baseline;
use crate::channel::Promotion;
use crate::hotfix::Audience;
use crate::names::{Level, Organization, PdpId, Ring};
use crate::plan::RingPlan;
use crate::report::{ReportState, TargetState};
use crate::time::{At, Span};

/// What the server knows of one PDP.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Which PDP.
    pub pdp: &'a PdpId,
    /// Its ring now.
    pub ring: &'a Ring,
    /// When its last report arrived, none if it never reported.
    pub heard: Option<At>,
    /// When it polled last.
    pub seen: Option<At>,
    /// Its last good level, as it reports it.
    pub current: Option<Level>,
    /// What it reports of the level in question, or of another one.
    pub target: Option<&'a TargetState>,
}

/// The state of one PDP in one rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PdpState {
    /// It never reported, or neither reported nor polled for `silenceAfter`; it hasn't started.
    NotReporting,
    /// Its own pin, window, freeze, approval, age, or an unmet requirement.
    Deferred,
    /// Its ring isn't open.
    Waiting,
    /// It may start.
    Offered,
    /// It started and reports.
    Started,
    /// Healthy on the level.
    Healthy,
    /// The level failed there.
    Failed,
    /// It started, and then no report came within `silenceAfter`: it counts like a failure until it is heard.
    Silent,
    /// At this or a later level without this rollout, or gone on from a start that proved nothing.
    Past,
    /// It proves nothing: nobody measures its health, it reports nothing, it was sick before and isn't well, or people skipped it.
    Excluded,
}

/// How many PDPs of a ring are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Census {
    /// All of them.
    pub members: u32,
    /// See [`PdpState::NotReporting`].
    pub not_reporting: u32,
    /// See [`PdpState::Deferred`].
    pub deferred: u32,
    /// See [`PdpState::Waiting`].
    pub waiting: u32,
    /// See [`PdpState::Offered`].
    pub offered: u32,
    /// See [`PdpState::Started`].
    pub started: u32,
    /// See [`PdpState::Healthy`].
    pub healthy: u32,
    /// See [`PdpState::Failed`].
    pub failed: u32,
    /// See [`PdpState::Silent`].
    pub silent: u32,
    /// See [`PdpState::Past`].
    pub past: u32,
    /// See [`PdpState::Excluded`].
    pub excluded: u32,
}

impl Census {
    /// Those over whom shares and budgets count.
    pub fn eligible(&self) -> u32 {
        self.started + self.healthy + self.failed + self.silent
    }

    fn count(&mut self, state: PdpState) {
        self.members += 1;
        *match state {
            PdpState::NotReporting => &mut self.not_reporting,
            PdpState::Deferred => &mut self.deferred,
            PdpState::Waiting => &mut self.waiting,
            PdpState::Offered => &mut self.offered,
            PdpState::Started => &mut self.started,
            PdpState::Healthy => &mut self.healthy,
            PdpState::Failed => &mut self.failed,
            PdpState::Silent => &mut self.silent,
            PdpState::Past => &mut self.past,
            PdpState::Excluded => &mut self.excluded,
        } += 1;
    }
}

/// All that a step looks at: how many PDPs of each ring are in which state, and whose failures count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Per ring. A PDP that started counts in the ring where it started, others where they are now.
    pub rings: BTreeMap<Ring, Census>,
    /// Per ring: failed and silent PDPs that no resume has forgiven.
    pub failures: BTreeMap<Ring, Failures>,
    /// Per ring: who is in it now, wherever they started. Shares count among these, for grants as well.
    pub present: BTreeMap<Ring, u32>,
    /// Per ring: who started there less than `silenceAfter` ago and was never heard; they may still prove the wave, or
    /// fail it.
    pub unheard: BTreeMap<Ring, u32>,
}

/// Failed and silent PDPs of one ring that no resume has forgiven.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failures {
    /// Against the ring's budget.
    pub all: u32,
    /// Against each organization's.
    pub organizations: BTreeMap<Organization, u32>,
}

impl Tally {
    /// The census of a ring; zeroes if nobody is in it.
    pub fn census(&self, ring: &Ring) -> Census {
        self.rings.get(ring).copied().unwrap_or_default()
    }

    /// How many are in a ring now.
    pub fn present(&self, ring: &Ring) -> u32 {
        self.present.get(ring).copied().unwrap_or_default()
    }

    /// How many started in a ring, were never heard, and may still be.
    pub fn unheard(&self, ring: &Ring) -> u32 {
        self.unheard.get(ring).copied().unwrap_or_default()
    }

    /// The failures of a ring.
    pub fn failures(&self, ring: &Ring) -> &Failures {
        static NONE: Failures = Failures { all: 0, organizations: BTreeMap::new() };
        self.failures.get(ring).unwrap_or(&NONE)
    }

    fn fail(&mut self, rollout: &Rollout, ring: &Ring, pdp: &PdpId, since: Since) {
        let fresh = |baseline: Option<Baseline>| baseline.is_none_or(|baseline| since.is_after(baseline));
        let failures = self.failures.entry(ring.clone()).or_default();
        failures.all += u32::from(fresh(rollout.forgiven(ring)));
        if fresh(rollout.forgiven_for(ring, &pdp.organization)) {
            *failures.organizations.entry(pdp.organization.clone()).or_default() += 1;
        }
    }
}

/// Since when a PDP is failed (an event) or silent (a time).
#[derive(Debug, Clone, Copy)]
enum Since {
    Event(u64),
    Time(At),
}

impl Since {
    fn is_after(self, baseline: Baseline) -> bool {
        match self {
            Self::Event(event) => event > baseline.event,
            Self::Time(at) => at > baseline.at,
        }
    }
}

/// Who counts what: the clock, and since when the counting server has been listening.
///
/// Nobody can be blamed for silence while nobody listened: it is judged from `listening` on at the earliest.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// Now.
    pub now: At,
    /// Since when reports could come in.
    pub listening: At,
}

/// Counts all rows that the level is meant for; silence is judged by its tempo's pace.
pub fn tally<'a>(
    plan: &RingPlan,
    promotion: &Promotion,
    rollout: &Rollout,
    level: Level,
    rows: impl IntoIterator<Item = Row<'a>>,
    clock: Clock,
) -> Tally {
    tally_with(plan, promotion, rollout, level, rows, clock, |_, _, _| {})
}

/// As [`tally`]; shows each row with its state and the ring in which it counts to `seen`.
pub(super) fn tally_with<'a>(
    plan: &RingPlan,
    promotion: &Promotion,
    rollout: &Rollout,
    level: Level,
    rows: impl IntoIterator<Item = Row<'a>>,
    clock: Clock,
    mut seen: impl FnMut(&Ring, PdpState, &Row<'a>),
) -> Tally {
    let (mut tally, mut audience) = (Tally::default(), Audience::new(promotion));
    for row in rows {
        let start = rollout.starts.get(row.pdp);
        let meant = audience.includes(&row.pdp.organization);
        if meant {
            add(&mut tally.present, row.ring);
        }
        // Who started counts against caps, whoever it was meant for.
        if start.is_none() && !meant {
            continue;
        }
        let ring = start.map_or(row.ring, |start| &start.ring);
        let silence_after =
            plan.pace(promotion.tempo, ring).map_or(Span::default(), |pace| pace.silence_after);
        let state = state_of(rollout, level, &row, silence_after, clock);
        seen(ring, state, &row);
        match tally.rings.get_mut(ring) {
            Some(census) => census.count(state),
            None => tally.rings.entry(ring.clone()).or_default().count(state),
        }
        match (state, start) {
            (PdpState::Excluded, Some(start)) if may_prove(rollout, start, &row, silence_after, clock) => {
                add(&mut tally.unheard, ring)
            }
            (PdpState::Failed, Some(start)) => {
                tally.fail(rollout, ring, row.pdp, Since::Event(start.ended.unwrap_or_default()));
            }
            (PdpState::Silent, Some(start)) => {
                let since = last_word(start, row.heard, clock).plus(silence_after);
                tally.fail(rollout, ring, row.pdp, Since::Time(since));
            }
            _ => {}
        }
    }
    tally
}

/// True for one that runs, and only hasn't been heard yet. Whoever says nothing for `silenceAfter` may be one that never
/// reports: no wave waits for it any longer.
fn may_prove(rollout: &Rollout, start: &Started, row: &Row<'_>, silence_after: Span, clock: Clock) -> bool {
    row.heard.is_none()
        && !rollout.skipped.contains(row.pdp)
        && in_flight(start, row.heard, silence_after, clock)
}

/// One more; a name is copied for the first only.
fn add(counts: &mut BTreeMap<Ring, u32>, ring: &Ring) {
    match counts.get_mut(ring) {
        Some(count) => *count += 1,
        None => {
            counts.insert(ring.clone(), 1);
        }
    }
}

/// When a started PDP was heard last, or began to owe a word.
fn last_word(start: &Started, heard: Option<At>, clock: Clock) -> At {
    heard.map_or(start.at, |heard| heard.max(start.at)).max(clock.listening)
}

/// True if a start hasn't ended and its PDP isn't silent yet: it is in flight.
pub(super) fn in_flight(start: &Started, heard: Option<At>, silence_after: Span, clock: Clock) -> bool {
    start.outcome.is_none()
        && clock.now.seconds_since(last_word(start, heard, clock)) < silence_after.seconds()
}

/// The one state of a PDP.
pub fn state_of(
    rollout: &Rollout,
    level: Level,
    row: &Row<'_>,
    silence_after: Span,
    clock: Clock,
) -> PdpState {
    if rollout.skipped.contains(row.pdp) {
        return PdpState::Excluded;
    }
    let later = row.current.is_some_and(|current| current > level);
    if let Some(start) = rollout.starts.get(row.pdp) {
        return match start.outcome {
            // What proved itself here stays a proof, wherever it went since.
            Some(Outcome::Healthy) => PdpState::Healthy,
            _ if later => PdpState::Past,
            // That it got no better is not the level's doing; that it got well is.
            Some(Outcome::Failed) if start.sick => PdpState::Excluded,
            Some(Outcome::Failed) => PdpState::Failed,
            Some(Outcome::Written) => PdpState::Excluded,
            None if row.heard.is_none() => PdpState::Excluded,
            None if in_flight(start, row.heard, silence_after, clock) => PdpState::Started,
            None if start.sick => PdpState::Excluded,
            None => PdpState::Silent,
        };
    }
    if row.current.is_some_and(|current| current >= level) {
        return PdpState::Past;
    }
    // What has nothing to tell reports rarely: a poll shows that it lives.
    let quiet = |since: At| clock.now.seconds_since(since.max(clock.listening)) >= silence_after.seconds();
    if row.heard.is_none_or(|heard| quiet(row.seen.map_or(heard, |seen| seen.max(heard)))) {
        return PdpState::NotReporting;
    }
    let deferred = |t: &&TargetState| t.level == level && t.state == ReportState::Deferred;
    if row.target.as_ref().filter(|target| deferred(target)).is_some() {
        return PdpState::Deferred;
    }
    if rollout.rings.contains_key(row.ring) { PdpState::Offered } else { PdpState::Waiting }
}
