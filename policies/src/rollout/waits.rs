//! What a rollout waits for: time, proof, or people.

use serde::{Deserialize, Serialize};

use super::census::{Clock, Tally};
use super::fold::{Progress, Rollout};
use super::phase::{Fate, is_halted_anywhere, next_ring};
use super::step::{Lack, is_empty_beside_others, lack};
use crate::channel::Promotion;
use crate::names::Ring;
use crate::plan::{RingPlan, RingRules};
use crate::time::{At, Span};

/// What comes next in a rollout, and what has to happen before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum WaitsFor {
    /// The earliest time of the next ring, as people signed it.
    Time {
        /// The ring that opens next.
        ring: Ring,
        /// Not before.
        until: At,
    },
    /// That a wave keeps its healthy share.
    Soak {
        /// The ring.
        ring: Ring,
        /// Which wave, first is 0.
        wave: usize,
        /// The soak ends then.
        until: At,
    },
    /// What a wave lacks and what data planes may still bring.
    Proof {
        /// The ring.
        ring: Ring,
        /// Which wave, first is 0.
        wave: usize,
        /// What it lacks.
        lack: Lack,
    },
    /// What a wave lacks and what nobody is about to bring: people look, and acknowledge the wave, retry or skip.
    People {
        /// The ring.
        ring: Ring,
        /// Which wave, first is 0.
        wave: usize,
        /// What it lacks.
        lack: Lack,
    },
}

/// What a rollout waits for; none where nothing comes next: all rings passed, people or a halt hold it, the level is
/// withdrawn, or a higher one took its place.
pub fn waits_for(
    plan: &RingPlan,
    promotion: &Promotion,
    rollout: &Rollout,
    tally: &Tally,
    fate: Fate,
    clock: Clock,
) -> Option<WaitsFor> {
    if fate.withdrawn || rollout.paused.is_some() || is_halted_anywhere(rollout) {
        return None;
    }
    let rules = next_ring(plan, rollout)?;
    let ring = rules.name.clone();
    let Some(progress) = rollout.rings.get(&ring) else {
        let until = *promotion.opens_at.get(&ring).filter(|_| !fate.superseded)?;
        return Some(WaitsFor::Time { ring, until });
    };
    let pace = plan.pace(promotion.tempo, &ring)?;
    let (wave, since) = (progress.wave, progress.share_reached.unwrap_or(clock.now));
    match lack(plan, rules, wave, tally, rollout).filter(|_| !is_empty_beside_others(plan, tally, &ring)) {
        None => Some(WaitsFor::Soak { ring, wave, until: since.plus(pace.soak) }),
        Some(lack) if is_up_to_people(rules, lack, *progress, tally, rollout, pace.silence_after, clock) => {
            Some(WaitsFor::People { ring, wave, lack })
        }
        Some(lack) => Some(WaitsFor::Proof { ring, wave, lack }),
    }
}

/// True where nobody can bring what the wave lacks; or nobody is about to, and nothing has started for `silence_after`.
fn is_up_to_people(
    rules: &RingRules,
    lack: Lack,
    progress: Progress,
    tally: &Tally,
    rollout: &Rollout,
    silence_after: Span,
    clock: Clock,
) -> bool {
    let runs = tally.census(&rules.name).started + tally.unheard(&rules.name) > 0;
    let since = last_step(rules, progress, rollout).max(clock.listening);
    let long = clock.now.seconds_since(since) >= silence_after.seconds();
    lack == Lack::Nobody {} || (!runs && long)
}

/// When something happened last in a ring that could bring what its wave lacks.
fn last_step(rules: &RingRules, progress: Progress, rollout: &Rollout) -> At {
    let starts = rollout.starts.values().filter(|start| start.ring == rules.name).map(|start| start.at);
    let resumed = rollout.forgiven(&rules.name).map(|baseline| baseline.at);
    let begun = progress.wave_passed.unwrap_or(progress.opened);
    starts.chain(resumed).fold(begun, At::max)
}
