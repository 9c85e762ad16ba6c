//! Whether a PDP may start now. The only thing that caps count.
//!
//! Open windows go first by themselves: who asks is ready, and whoever is deferred doesn't ask.

use super::census::Clock;
use super::event::Outcome;
use super::flight::{Running, is_full, running};
use super::fold::Rollout;
use super::offer::{Asker, wave_of};
use super::step::cap_of;
use crate::channel::Channel;
use crate::codes::ObstacleCode;
use crate::names::{Level, PdpId, Ring};
use crate::time::{At, Span};

/// How long a grant may stay unused. Asking again renews it; it never counts twice.
pub const GRANT_LIFE: Span = Span::from_seconds(3600);

/// Leave to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// A new start, or a renewed one: append the event before answering.
    New {
        /// Which try of the level, from 1.
        attempt: u32,
        /// When it lapses unused.
        until: At,
    },
    /// It was granted before and still holds.
    Again {
        /// Which try of the level, from 1.
        attempt: u32,
        /// When it lapses unused.
        until: At,
    },
}

/// Whom a refusal refuses. Rules that look at the asker must say so: whoever asks for many stops at the first refusal that
/// is about the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Everybody in the ring who hasn't started, for now.
    Ring(ObstacleCode),
    /// The asker; others may fare better.
    Asker(ObstacleCode),
}

impl Refusal {
    /// What the asker is told.
    pub(super) fn code(self) -> ObstacleCode {
        match self {
            Self::Ring(code) | Self::Asker(code) => code,
        }
    }
}

/// One `ready`: who wants to start what.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Who.
    pub pdp: &'a PdpId,
    /// Its ring now.
    pub ring: &'a Ring,
    /// How many PDPs the ring has now.
    pub members: u32,
    /// The level.
    pub level: Level,
    /// Which try of the level it would be for the PDP, from 1.
    pub attempt: u32,
}

/// Decides on one `ready`. `braked` names what stops the whole level; `heard` is when a PDP reported last.
///
/// # Errors
/// The code of what stands in the way.
pub fn grant<'a>(
    channel: &Channel,
    rollouts: impl Fn(Level) -> Option<&'a Rollout>,
    wish: Wish<'_>,
    heard: impl Fn(&PdpId) -> Option<At>,
    braked: Option<ObstacleCode>,
    clock: Clock,
) -> Result<Grant, ObstacleCode> {
    let running =
        |rollout: &Rollout, silence_after| running(rollout, wish.ring, &heard, silence_after, clock);
    grant_where(channel, rollouts, wish, running, braked, clock).map_err(Refusal::code)
}

/// As [`grant`], for those who know already how many PDPs of the ring run; and says whom a refusal refuses.
pub(super) fn grant_where<'a>(
    channel: &Channel,
    rollouts: impl Fn(Level) -> Option<&'a Rollout>,
    wish: Wish<'_>,
    running: impl FnOnce(&Rollout, Span) -> Running,
    braked: Option<ObstacleCode>,
    clock: Clock,
) -> Result<Grant, Refusal> {
    if let Some(code) = braked {
        return Err(Refusal::Ring(code));
    }
    let (Wish { ring, level, .. }, organization) = (wish, Some(&wish.pdp.organization));
    let rollout = rollouts(level).ok_or(Refusal::Ring(ObstacleCode::RingNotOpenYet))?;
    if rollout.is_halted(ring) {
        return Err(Refusal::Ring(ObstacleCode::Halted));
    }
    if rollout.is_halted_for(ring, organization) {
        return Err(Refusal::Asker(ObstacleCode::Halted));
    }
    let asker = Asker { ring, organization, current: None };
    // An audience is about organizations.
    let closed = Refusal::Asker(ObstacleCode::RingNotOpenYet);
    let wave = wave_of(channel, level, &rollouts, asker, clock.now).ok_or(closed)?;
    let rules = channel.plan.rules(ring).ok_or(Refusal::Ring(ObstacleCode::RingNotOpenYet))?;
    if rollout.paused.is_some() {
        return Err(Refusal::Ring(ObstacleCode::NoGrant));
    }
    if rollout.skipped.contains(wish.pdp) {
        return Err(Refusal::Asker(ObstacleCode::NoGrant));
    }
    let attempt = attempt(rollout, wish).map_err(Refusal::Asker)?;
    let until = clock.now.plus(GRANT_LIFE);
    let no_place = Err(Refusal::Ring(ObstacleCode::NoGrant));
    match rollout.starts.get(wish.pdp) {
        Some(start) if start.attempt == attempt && start.outcome.is_none() => match start.until {
            Some(until) if until > clock.now => Ok(Grant::Again { attempt, until }),
            _ => Ok(Grant::New { attempt, until }),
        },
        None if rollout.starts_in(ring) >= cap_of(rules, wave, wish.members) => no_place,
        _ if is_full(channel, rollout, rules, wish, running) => no_place,
        _ => Ok(Grant::New { attempt, until }),
    }
}

/// Which try it is: the newest that people allowed. Where the last one failed the PDP must itself ask for a
/// later one: it knows then that it shall try again.
fn attempt(rollout: &Rollout, wish: Wish<'_>) -> Result<u32, ObstacleCode> {
    let newest = rollout.attempt();
    let quarantined = Err(ObstacleCode::Quarantined);
    match rollout.starts.get(wish.pdp) {
        _ if wish.attempt == 0 || wish.attempt > newest => quarantined,
        Some(start) if start.outcome != Some(Outcome::Failed) => Ok(start.attempt),
        Some(start) if wish.attempt <= start.attempt => quarantined,
        _ => Ok(newest),
    }
}
