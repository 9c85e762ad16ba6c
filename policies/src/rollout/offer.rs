//! What a rollout means to those who ask: the ceiling of a ring, the shares of the ring state.

use std::collections::BTreeMap;

use super::fold::Rollout;
use crate::channel::{Channel, Promotion};
use crate::instruction::{Ceiling, RingShare};
use crate::names::{Level, Ring};
use crate::plan::{Cap, Percent};
use crate::time::At;

/// True if a rollout has opened its level to a ring.
pub fn is_open(promotion: &Promotion, rollout: &Rollout, ring: &Ring, now: At) -> bool {
    let earliest = promotion.opens_at.get(ring).is_some_and(|earliest| *earliest <= now);
    earliest && rollout.rings.contains_key(ring)
}

/// The ceiling of a ring: the highest level that is open to it and not withdrawn.
pub fn offer<'a>(
    channel: &Channel,
    rollout: impl Fn(Level) -> Option<&'a Rollout>,
    ring: &Ring,
    now: At,
) -> Option<Ceiling> {
    let open = channel.levels.iter().rev().find(|(level, promotion)| {
        !channel.withdrawn.contains_key(level)
            && rollout(**level).is_some_and(|rollout| is_open(promotion, rollout, ring, now))
    });
    open.map(|(level, promotion)| Ceiling {
        line: channel.line.clone(),
        level: *level,
        length: promotion.length,
        sha256: promotion.sha256,
    })
}

/// The share of each open ring, for PDPs that nobody grants a start: a cohort as large as the wave.
///
/// A wave that counts heads can't be told to those whom nobody counts: it opens nobody here.
pub fn ring_shares(channel: &Channel, rollout: &Rollout) -> BTreeMap<Ring, RingShare> {
    let rings = channel.plan.rings.iter().filter_map(|rules| {
        let progress = rollout.rings.get(&rules.name)?;
        let percent = match rules.waves.get(progress.wave) {
            Some(Cap::Percent(percent)) => *percent,
            Some(Cap::Count(_)) => Percent::default(),
            None => Percent::ALL,
        };
        Some((rules.name.clone(), RingShare { percent, halted: false, attempt: 1 }))
    });
    rings.collect()
}
