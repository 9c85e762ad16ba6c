//! What a rollout means to those who ask: the ceiling of a PDP.

use super::fold::{Progress, Rollout};
use crate::channel::{Channel, Promotion};
use crate::instruction::Ceiling;
use crate::names::{Level, Organization, Ring};
use crate::time::At;

/// True if a rollout has opened its level to a ring.
pub fn is_open(promotion: &Promotion, rollout: &Rollout, ring: &Ring, now: At) -> bool {
    is_due(promotion, ring, now) && rollout.rings.contains_key(ring)
}

/// True from the earliest time on that people signed.
fn is_due(promotion: &Promotion, ring: &Ring, now: At) -> bool {
    promotion.opens_at.get(ring).is_some_and(|earliest| *earliest <= now)
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// Its ring.
    pub ring: &'a Ring,
    /// Its organization; none for a ring as a whole.
    pub organization: Option<&'a Organization>,
    /// Its last good level, none before the first installation.
    pub current: Option<Level>,
}

/// The highest level that is open to the asker's ring, meant for it, neither withdrawn nor halted for it. A hotfix
/// opens nothing to a ring as a whole.
fn top<'a>(
    channel: &Channel,
    rollout: impl Fn(Level) -> Option<&'a Rollout>,
    asker: Asker<'_>,
    now: At,
) -> Option<Level> {
    let open = channel.levels.iter().rev().find(|(level, promotion)| {
        rollout(**level).is_some_and(|rollout| is_open(promotion, rollout, asker.ring, now))
            && is_meant(promotion, asker)
            && stands(channel, **level, &rollout, asker)
    });
    open.map(|(level, _)| *level)
}

fn is_meant(promotion: &Promotion, asker: Asker<'_>) -> bool {
    match asker.organization {
        Some(organization) => promotion.is_for(organization),
        None => !promotion.is_hotfix(),
    }
}

/// Neither withdrawn nor halted for the asker.
fn stands<'a>(
    channel: &Channel,
    level: Level,
    rollout: &impl Fn(Level) -> Option<&'a Rollout>,
    asker: Asker<'_>,
) -> bool {
    let halted = rollout(level).is_none_or(|rollout| rollout.is_halted_for(asker.ring, asker.organization));
    !channel.withdrawn.contains_key(&level) && !halted
}

/// The wave whose cap a level's starts keep to in a ring: its own rollout's; or, if that hasn't opened the ring,
/// the wave of the ring's ceiling above it: what is below a ceiling can be started, a required stop above all.
///
/// None if the level can't start there, or not before the time that people signed.
pub fn wave_of<'a>(
    channel: &Channel,
    level: Level,
    rollout: impl Fn(Level) -> Option<&'a Rollout>,
    asker: Asker<'_>,
    now: At,
) -> Option<usize> {
    progress_of(channel, level, rollout, asker, now).map(|progress| progress.wave)
}

/// As [`wave_of`], with all that is known of that wave.
pub(super) fn progress_of<'a>(
    channel: &Channel,
    level: Level,
    rollout: impl Fn(Level) -> Option<&'a Rollout>,
    asker: Asker<'_>,
    now: At,
) -> Option<Progress> {
    let promotion = channel.levels.get(&level)?;
    let others = asker.organization.is_some_and(|organization| !promotion.is_for(organization));
    if others || !is_due(promotion, asker.ring, now) || channel.withdrawn.contains_key(&level) {
        return None;
    }
    let own = rollout(level)?;
    if let Some(progress) = own.rings.get(asker.ring) {
        return Some(*progress);
    }
    // What is halted on its way here doesn't come in by the side door.
    let top = top(channel, &rollout, asker, now).filter(|top| *top > level && own.halts.is_empty())?;
    rollout(top)?.rings.get(asker.ring).copied()
}

/// The ceiling of a PDP: the highest level that is open to its ring, not withdrawn, not halted for it. A required
/// stop above its own level comes first, if it can be started there; a first installation passes all stops. A hotfix is
/// offered on its own base, and whoever has one is offered what holds it.
pub fn offer<'a>(
    channel: &Channel,
    rollout: impl Fn(Level) -> Option<&'a Rollout>,
    asker: Asker<'_>,
    now: At,
) -> Option<Ceiling> {
    let top = top(channel, &rollout, asker, now)?;
    let stop = channel.required_stops.iter().find(|stop| asker.current.is_some_and(|own| **stop > own));
    let limit = stop.map_or(top, |stop| top.min(*stop));
    let mut below = channel.levels.range(..=limit).rev();
    let (level, promotion) = below.find(|(level, _)| {
        channel.barred(asker.current, **level).is_none()
            && stands(channel, **level, &rollout, asker)
            && wave_of(channel, **level, &rollout, asker, now).is_some()
    })?;
    Some(Ceiling {
        line: channel.line.clone(),
        level: *level,
        length: promotion.length,
        sha256: promotion.sha256,
    })
}

/// True if a higher promoted level, not withdrawn, takes the place of this one. A halt of that level changes
/// nothing: it may be resumed; who wants this one back withdraws it. A hotfix takes nobody's place: all others need
/// this one.
pub fn superseded(channel: &Channel, level: Level) -> bool {
    channel.levels.iter().any(|(higher, promotion)| {
        *higher > level
            && promotion.supersedes.contains(&level)
            && !promotion.is_hotfix()
            && !channel.withdrawn.contains_key(higher)
    })
}
