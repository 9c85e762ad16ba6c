//! How many PDPs of a ring may be in flight at once.

use super::census::{Clock, in_flight};
use super::fold::Rollout;
use super::grant::Wish;
use crate::channel::Channel;
use crate::names::{PdpId, Ring};
use crate::plan::{Cap, RingRules};
use crate::time::{At, Span};

/// Who of a ring started and hasn't ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Running {
    /// In flight.
    pub(super) flying: usize,
    /// Never heard, for longer than it may be silent.
    pub(super) mute: usize,
}

/// Counts who of a ring runs.
pub(super) fn running(
    rollout: &Rollout,
    ring: &Ring,
    heard: impl Fn(&PdpId) -> Option<At>,
    silence_after: Span,
    clock: Clock,
) -> Running {
    let mut running = Running::default();
    for pdp in rollout.running.get(ring).into_iter().flatten() {
        let (Some(start), heard) = (rollout.starts.get(pdp), heard(pdp)) else { continue };
        if in_flight(start, heard, silence_after, clock) {
            running.flying += 1;
        } else if heard.is_none() {
            running.mute += 1;
        }
    }
    running
}

/// True if as many PDPs of the ring are in flight as may be. A silent one isn't: it would hold up all others. By then one
/// that was never heard counts beside the healthy ones: a ring of nobody else would start one at a time, each after the
/// silence of the one before.
pub(super) fn is_full(
    channel: &Channel,
    rollout: &Rollout,
    rules: &RingRules,
    wish: Wish<'_>,
    running: impl FnOnce(&Rollout, Span) -> Running,
) -> bool {
    let Some(promotion) = channel.levels.get(&wish.level) else { return false };
    let silence_after =
        channel.plan.pace(promotion.tempo, wish.ring).map_or(Span::default(), |p| p.silence_after);
    let Running { flying, mute } = running(rollout, silence_after);
    flying >= rules.most_in_flight(wish.members)
        || (rules.slow_start && flying > mute + rollout.healthy_in(wish.ring))
}

impl RingRules {
    /// How many may be in flight at once in a ring of `members`: the smaller of count and share, never less than one.
    pub fn most_in_flight(&self, members: u32) -> usize {
        let caps = [self.in_flight, self.in_flight_share.map(Cap::Percent)];
        let most = caps.into_iter().flatten().map(|cap| cap.of(members)).min().unwrap_or(u32::MAX);
        usize::try_from(most.max(1)).unwrap_or(usize::MAX)
    }
}
