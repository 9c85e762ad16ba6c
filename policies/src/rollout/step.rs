//! What comes next: rings in order, waves within them, each earned by the one before; and halts.

use serde::{Deserialize, Serialize};

use super::budget;
use super::census::Tally;
use super::event::RolloutEvent;
use super::fold::{Progress, Rollout};
use super::halt::HaltScope;
use crate::channel::Promotion;
use crate::names::Ring;
use crate::plan::{Cap, Pace, RingPlan, RingRules};
use crate::time::At;

/// What comes from outside of the rollout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outside {
    /// The channel is stopped, the level withdrawn, the catalog expired, or the server's log behind: nothing
    /// happens then.
    pub braked: bool,
    /// A higher promoted level took its place: no further ring opens.
    pub superseded: bool,
}

/// The events that are due. Apply them and ask again until nothing comes.
///
/// Halts come before anything else. Opening is never taken back.
pub fn step(
    plan: &RingPlan,
    promotion: &Promotion,
    rollout: &Rollout,
    tally: &Tally,
    outside: Outside,
    now: At,
) -> Vec<RolloutEvent> {
    if rollout.created.is_none() {
        return vec![RolloutEvent::Created {}];
    }
    if outside.braked {
        return Vec::new();
    }
    let halts = plan.rings.iter().flat_map(|rules| budget::halts(plan, rules, rollout, tally));
    let halts: Vec<_> = halts.map(|(scope, cause)| RolloutEvent::Halted { scope, cause }).collect();
    if !halts.is_empty() {
        return halts;
    }
    progress(plan, promotion, rollout, tally, outside, now).into_iter().collect()
}

fn progress(
    plan: &RingPlan,
    promotion: &Promotion,
    rollout: &Rollout,
    tally: &Tally,
    outside: Outside,
    now: At,
) -> Option<RolloutEvent> {
    // What comes after a halted ring would be earned by it.
    let mut held = rollout.paused.is_some() || rollout.halts.contains_key(&HaltScope::Rollout {});
    for rules in &plan.rings {
        let Some(progress) = rollout.rings.get(&rules.name) else {
            let due = promotion.opens_at.get(&rules.name).is_some_and(|earliest| *earliest <= now);
            let opens = due && !held && !outside.superseded;
            return opens.then(|| RolloutEvent::RingOpened { ring: rules.name.clone() });
        };
        held |= rollout.is_halted(&rules.name);
        let (ring, wave) = (rules.name.clone(), progress.wave);
        if wave < rules.waves.len() && is_empty_beside_others(plan, tally, &ring) {
            return (!held).then_some(RolloutEvent::WavePassed { ring, wave });
        }
        if wave < rules.waves.len() {
            let pace = *plan.pace(promotion.tempo, &rules.name)?;
            return advance(plan, rules, pace, *progress, tally, rollout, held, now);
        }
    }
    None
}

/// True for a ring in which nobody is whom the level is meant for, while somebody is in another ring of the plan: nobody is
/// there to wait for. Where all rings are empty nobody would see what a level does, so none passes.
pub fn is_empty_beside_others(plan: &RingPlan, tally: &Tally, ring: &Ring) -> bool {
    let is_empty = |ring: &Ring| tally.census(ring).members == 0;
    is_empty(ring) && plan.rings.iter().any(|rules| !is_empty(&rules.name))
}

/// The wave rule: enough of them, healthy enough, within budget, and soaked. That the share was reached is a
/// fact, and noted while the rollout is `held` too.
#[expect(clippy::too_many_arguments, reason = "all that a wave is judged by")]
fn advance(
    plan: &RingPlan,
    rules: &RingRules,
    pace: Pace,
    progress: Progress,
    tally: &Tally,
    rollout: &Rollout,
    held: bool,
    now: At,
) -> Option<RolloutEvent> {
    let (ring, wave) = (rules.name.clone(), progress.wave);
    if lack(plan, rules, wave, tally, rollout).is_some() {
        return None;
    }
    let Some(since) = progress.share_reached else {
        return Some(RolloutEvent::ShareReached { ring, wave });
    };
    let soaked = progress.expedited || now.seconds_since(since) >= pace.soak.seconds();
    (soaked && !held).then_some(RolloutEvent::WavePassed { ring, wave })
}

/// What a wave lacks before its soak begins, and after it before it passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Lack {
    /// Nobody who could prove it, or fail it: people acknowledge it, or somebody comes who may start.
    Nobody {},
    /// Starts: too few to judge by.
    Sample {
        /// So many have started.
        started: u32,
        /// So many have to.
        needed: u32,
    },
    /// Healthy ones among those who started.
    Healthy {
        /// So many are.
        healthy: u32,
        /// So many have to be, as many as have started now.
        needed: u32,
    },
    /// Its failures are more than the budget bears.
    Budget {},
}

/// What the wave lacks, none if it is proven.
///
/// Who was left out, or can't be measured, has used up a start and proves nothing: where no further one may start, the wave
/// is judged by the others, and by people if there are none.
pub fn lack(
    plan: &RingPlan,
    rules: &RingRules,
    wave: usize,
    tally: &Tally,
    rollout: &Rollout,
) -> Option<Lack> {
    let counts = tally.census(&rules.name);
    let (started, healthy, possible) =
        (counts.eligible(), counts.healthy, possible(rules, wave, tally, rollout));
    if possible == 0 {
        return Some(Lack::Nobody {});
    }
    let cap = cap_of(rules, wave, tally.present(&rules.name));
    let needed = rules.min_sample.min(cap).min(possible).max(1);
    if started < needed {
        return Some(Lack::Sample { started, needed });
    }
    let judged = started - budget::borne(plan, rules, wave, tally, rollout).min(started);
    let share = (u64::from(rules.healthy_share.get()) * u64::from(judged)).div_ceil(100);
    if u64::from(healthy) < share {
        let needed = u32::try_from(share).unwrap_or(u32::MAX);
        return Some(Lack::Healthy { healthy, needed });
    }
    budget::ring_exceeded(plan, rules, wave, tally, rollout).then_some(Lack::Budget {})
}

/// How many may have a say in a wave: those who have it, those who run without having been heard, and those who may still
/// start.
pub(super) fn possible(rules: &RingRules, wave: usize, tally: &Tally, rollout: &Rollout) -> u32 {
    let counts = tally.census(&rules.name);
    let room = cap_of(rules, wave, tally.present(&rules.name)).saturating_sub(rollout.starts_in(&rules.name));
    counts.eligible() + tally.unheard(&rules.name) + counts.offered.min(room)
}

/// How many starts a wave allows in a ring of `members`: percents rounded up, never less than the waves before
/// it allowed. Beyond the last wave: everybody.
pub fn cap_of(rules: &RingRules, wave: usize, members: u32) -> u32 {
    if wave >= rules.waves.len() {
        return u32::MAX;
    }
    rules.waves.iter().take(wave + 1).map(|cap| cap.of(members)).max().unwrap_or(u32::MAX)
}

impl Cap {
    /// The cap as a number of PDPs of `members`.
    pub fn of(self, members: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => {
                let cap = (u64::from(percent.get()) * u64::from(members)).div_ceil(100);
                u32::try_from(cap).unwrap_or(u32::MAX)
            }
        }
    }
}
