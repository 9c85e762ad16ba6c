//! What a rollout means to those who ask: the ceiling of a ring, the shares of the ring state.

use std::collections::BTreeMap;

use super::fold::Rollout;
use super::step::cap_of;
use crate::channel::{Channel, Promotion};
use crate::instruction::{Ceiling, RingShare};
use crate::names::{Level, Ring};
use crate::plan::Percent;
use crate::time::At;

/// A level that is offered to a ring.
pub type Offer = Ceiling;

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
) -> Option<Offer> {
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
/// A wave that counts heads becomes the percent that is not larger; what isn't a whole percent opens nobody.
pub fn ring_shares(
    channel: &Channel,
    rollout: &Rollout,
    members: impl Fn(&Ring) -> u32,
) -> BTreeMap<Ring, RingShare> {
    let rings = channel.plan.rings.iter().filter_map(|rules| {
        let progress = rollout.rings.get(&rules.name)?;
        let all = members(&rules.name).max(1);
        let cap = cap_of(rules, progress.wave, all).min(all);
        let floor = u64::from(cap) * 100 / u64::from(all);
        let percent = match rules.waves.get(progress.wave) {
            Some(crate::plan::Cap::Percent(percent)) => *percent,
            None => Percent::ALL,
            Some(crate::plan::Cap::Count(_)) => {
                u8::try_from(floor).ok().and_then(|n| Percent::try_from(n).ok()).unwrap_or(Percent::ALL)
            }
        };
        Some((rules.name.clone(), RingShare { percent, halted: false, attempt: 1 }))
    });
    rings.collect()
}
