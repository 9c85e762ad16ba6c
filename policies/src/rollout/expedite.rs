//! Whether the end of a soak would change anything.

use super::census::Tally;
use super::command::CommandRefusal;
use super::fold::Rollout;
use super::step::{Lack, lack};
use crate::names::Ring;
use crate::plan::RingPlan;

/// Refuses to end a soak where something else holds the wave up: it would say yes and change nothing.
pub(super) fn would_pass(
    plan: &RingPlan,
    rollout: &Rollout,
    tally: &Tally,
    ring: &Ring,
    wave: usize,
) -> Result<(), CommandRefusal> {
    let rules = plan.rules(ring).ok_or(CommandRefusal::UnknownRing)?;
    let mut before = plan.rings.iter().take_while(|rules| rules.name != *ring);
    if before.any(|rules| rollout.is_halted(&rules.name)) {
        return Err(CommandRefusal::Halted);
    }
    match lack(plan, rules, wave, tally, rollout) {
        None => Ok(()),
        Some(Lack::Nobody {}) => Err(CommandRefusal::NobodyProves),
        Some(_) => Err(CommandRefusal::NotProven),
    }
}
