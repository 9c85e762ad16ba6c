//! Which state each PDP is in, per rollout: exactly one of ten. And how many of each a ring has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::Outcome;
use super::fold::Rollout;
use crate::names::{Level, PdpId, Ring};
use crate::plan::{RingPlan, Tempo};
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
    /// It started, and then no report came within `silenceAfter`.
    Silent,
    /// At this or a later level without this rollout.
    Past,
    /// It proves nothing: nobody measures its health, or it reports nothing.
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

/// Counts all rows by ring; silence is judged by the tempo's pace.
pub fn census<'a>(
    plan: &RingPlan,
    tempo: Tempo,
    rollout: &Rollout,
    level: Level,
    rows: impl IntoIterator<Item = Row<'a>>,
    now: At,
) -> BTreeMap<Ring, Census> {
    let mut rings = BTreeMap::<Ring, Census>::new();
    for row in rows {
        let silence_after = plan.pace(tempo, row.ring).map_or(Span::default(), |pace| pace.silence_after);
        let state = state_of(rollout, level, &row, silence_after, now);
        match rings.get_mut(row.ring) {
            Some(census) => census.count(state),
            None => rings.entry(row.ring.clone()).or_default().count(state),
        }
    }
    rings
}

/// The one state of a PDP.
pub fn state_of(rollout: &Rollout, level: Level, row: &Row<'_>, silence_after: Span, now: At) -> PdpState {
    let quiet = |since: At| now.seconds_since(since) >= silence_after.seconds();
    let later = row.current.is_some_and(|current| current > level);
    if let Some(start) = rollout.starts.get(row.pdp) {
        return match start.outcome {
            _ if later => PdpState::Past,
            Some(Outcome::Healthy) => PdpState::Healthy,
            Some(Outcome::Failed) => PdpState::Failed,
            Some(Outcome::Written) => PdpState::Excluded,
            None if row.heard.is_none() => PdpState::Excluded,
            None if row.heard.is_none_or(quiet) && quiet(start.at) => PdpState::Silent,
            None => PdpState::Started,
        };
    }
    if row.current.is_some_and(|current| current >= level) {
        return PdpState::Past;
    }
    // What has nothing to tell reports rarely: a poll shows that it lives.
    if row.heard.is_none_or(|heard| quiet(row.seen.map_or(heard, |seen| seen.max(heard)))) {
        return PdpState::NotReporting;
    }
    let deferred = |t: &&TargetState| t.level == level && t.state == ReportState::Deferred;
    if row.target.as_ref().filter(|target| deferred(target)).is_some() {
        return PdpState::Deferred;
    }
    if rollout.rings.contains_key(row.ring) { PdpState::Offered } else { PdpState::Waiting }
}
