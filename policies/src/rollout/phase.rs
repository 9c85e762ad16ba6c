//! Where a ring of a rollout stands, in one word.

use serde::{Deserialize, Serialize};

use super::fold::Rollout;
use super::halt::HaltScope;
use crate::names::Ring;
use crate::plan::{RingPlan, RingRules};

/// Where a ring stands. What comes last here hides what comes before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// Not open yet.
    Waiting,
    /// A wave may start.
    Open,
    /// The current wave reached its healthy share and has to keep it.
    Soaking,
    /// All waves passed; who comes late may start.
    Passed,
    /// Not open, and won't open: a higher level took its place.
    Superseded,
    /// A person holds the rollout.
    Paused,
    /// Nothing starts until two people resume.
    Halted,
    /// The level is withdrawn.
    Withdrawn,
}

impl Phase {
    /// All of them, in their order.
    pub const ALL: [Self; 8] = [
        Self::Waiting,
        Self::Open,
        Self::Soaking,
        Self::Passed,
        Self::Superseded,
        Self::Paused,
        Self::Halted,
        Self::Withdrawn,
    ];

    /// Its name in documents and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Open => "open",
            Self::Soaking => "soaking",
            Self::Passed => "passed",
            Self::Superseded => "superseded",
            Self::Paused => "paused",
            Self::Halted => "halted",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// What the channel says of the level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fate {
    /// The level is withdrawn.
    pub withdrawn: bool,
    /// A higher level took its place ([`super::superseded`]).
    pub superseded: bool,
}

/// Where one ring stands.
pub fn phase(plan: &RingPlan, rollout: &Rollout, ring: &Ring, fate: Fate) -> Phase {
    match rollout.rings.get(ring) {
        _ if fate.withdrawn => Phase::Withdrawn,
        _ if rollout.is_halted(ring) => Phase::Halted,
        _ if rollout.paused.is_some() => Phase::Paused,
        None if fate.superseded => Phase::Superseded,
        None => Phase::Waiting,
        Some(progress) if progress.wave >= plan.rules(ring).map_or(0, |rules| rules.waves.len()) => {
            Phase::Passed
        }
        Some(progress) if progress.share_reached.is_some() => Phase::Soaking,
        Some(_) => Phase::Open,
    }
}

/// Where a rollout stands as a whole: halted if any of it is, otherwise as the first ring that hasn't passed. So it has
/// passed when all rings have, and waits between two rings.
pub fn overall(plan: &RingPlan, rollout: &Rollout, fate: Fate) -> Phase {
    of_whole(plan, rollout, fate, next_ring(plan, rollout).or(plan.rings.last()))
}

/// As [`overall`], but otherwise as the ring that opened last: what people may do to data planes that have started doesn't
/// end while the next ring waits for its time.
pub(super) fn furthest(plan: &RingPlan, rollout: &Rollout, fate: Fate) -> Phase {
    let last = plan.rings.iter().rev().find(|rules| rollout.rings.contains_key(&rules.name));
    of_whole(plan, rollout, fate, last.or(plan.rings.first()))
}

fn of_whole(plan: &RingPlan, rollout: &Rollout, fate: Fate, ring: Option<&RingRules>) -> Phase {
    if !fate.withdrawn && is_halted_anywhere(rollout) {
        return Phase::Halted;
    }
    ring.map_or(Phase::Waiting, |rules| phase(plan, rollout, &rules.name, fate))
}

/// True while the rollout or a ring of it is halted; an organization alone is not it.
pub(super) fn is_halted_anywhere(rollout: &Rollout) -> bool {
    rollout.halts.keys().any(|scope| !matches!(scope, HaltScope::Organization { .. }))
}

/// The first ring that hasn't passed.
pub(super) fn next_ring<'a>(plan: &'a RingPlan, rollout: &Rollout) -> Option<&'a RingRules> {
    plan.rings.iter().find(|rules| !rollout.passed(&rules.name, rules.waves.len()))
}
