//! What comes next: rings in order, waves within them, each earned by the one before.

use std::collections::BTreeMap;

use super::census::Census;
use super::event::RolloutEvent;
use super::fold::{Progress, Rollout};
use crate::channel::Promotion;
use crate::names::Ring;
use crate::plan::{Cap, Pace, RingPlan, RingRules};
use crate::time::At;

/// The events that are due. `braked` while the channel is stopped, the level withdrawn or the catalog
/// expired: nothing opens then. Apply them and ask again until nothing comes.
pub fn step(
    plan: &RingPlan,
    promotion: &Promotion,
    rollout: &Rollout,
    census: &BTreeMap<Ring, Census>,
    braked: bool,
    now: At,
) -> Vec<RolloutEvent> {
    if rollout.created.is_none() {
        return vec![RolloutEvent::Created {}];
    }
    if braked {
        return Vec::new();
    }
    let mut before_passed = true;
    for rules in &plan.rings {
        let Some(progress) = rollout.rings.get(&rules.name) else {
            return open(rules, promotion, before_passed, now).into_iter().collect();
        };
        before_passed = progress.wave >= rules.waves.len();
        if !before_passed {
            let Some(pace) = plan.pace(promotion.tempo, &rules.name) else {
                return Vec::new();
            };
            let counts = census.get(&rules.name).copied().unwrap_or_default();
            return advance(rules, *pace, *progress, counts, now).into_iter().collect();
        }
    }
    Vec::new()
}

/// A ring opens when the one before has passed, and never before the time that people signed.
fn open(rules: &RingRules, promotion: &Promotion, before_passed: bool, now: At) -> Option<RolloutEvent> {
    let due = promotion.opens_at.get(&rules.name).is_some_and(|earliest| *earliest <= now);
    (before_passed && due).then(|| RolloutEvent::RingOpened { ring: rules.name.clone() })
}

/// The wave rule: enough of them, healthy enough, within budget, and soaked.
fn advance(
    rules: &RingRules,
    pace: Pace,
    progress: Progress,
    counts: Census,
    now: At,
) -> Option<RolloutEvent> {
    let (ring, wave) = (rules.name.clone(), progress.wave);
    if !proven(rules, cap_of(rules, wave, counts.members), counts) {
        return None;
    }
    match progress.share_reached {
        None => Some(RolloutEvent::ShareReached { ring, wave }),
        Some(since) if now.seconds_since(since) >= pace.soak.seconds() => {
            Some(RolloutEvent::WavePassed { ring, wave })
        }
        Some(_) => None,
    }
}

fn proven(rules: &RingRules, cap: u32, counts: Census) -> bool {
    let eligible = counts.eligible();
    let sample = rules.min_sample.min(cap).min(eligible + counts.offered);
    let share = u64::from(rules.healthy_share.get()) * u64::from(eligible);
    let budget = u64::from(rules.failure_budget.get()) * u64::from(eligible);
    eligible > 0
        && eligible >= sample
        && u64::from(counts.healthy) * 100 >= share
        && u64::from(counts.failed + counts.silent) * 100 <= budget
}

/// How many starts a wave allows in a ring of `members`: percents rounded up. Beyond the last wave: everybody.
pub fn cap_of(rules: &RingRules, wave: usize, members: u32) -> u32 {
    match rules.waves.get(wave) {
        Some(Cap::Count(count)) => *count,
        Some(Cap::Percent(percent)) => {
            let cap = (u64::from(percent.get()) * u64::from(members)).div_ceil(100);
            u32::try_from(cap).unwrap_or(u32::MAX)
        }
        None => u32::MAX,
    }
}
