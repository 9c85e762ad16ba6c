//! What would happen: the engine's own functions over a fleet that people describe, in virtual time; beside it a
//! plan that knows nothing but time.

mod asks;
#[cfg(test)]
mod check;
mod course;
mod fleet;
mod gated;
mod plane;
mod queue;
mod reports;
mod server;
mod sum;
mod timed;

pub use course::{Course, HaltNote, Point, RingCourse, Simulation, Stop, WaveNote};
pub use fleet::{Between, Crowd, Fleet, MAX_DATA_PLANES, Windows};
pub use timed::WAVES;

use crate::names::{BadName, Ring};
use crate::plan::{Percent, RingPlan, Tempo};
use crate::time::Span;

/// What the level does to the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trial {
    /// The same seed gives the same fleet and the same fate.
    pub seed: u64,
    /// This share of the data planes is broken by the level.
    pub breaks: Percent,
    /// From this time after the promotion on; those that were healthy by then break then.
    pub from: Span,
    /// This share of the broken ones can't say so: they fall silent.
    pub cut_off: Percent,
    /// In the plan without feedback people would stop the rollout this long after the first failure.
    pub reaction: Span,
}

/// People's median time to a halt in 603 rollouts of Fedora CoreOS.
pub const REACTION: Span = Span::from_seconds(5 * 3600);

/// Plays a rollout of one level at one tempo. Give plan and fleet that have no problems.
///
/// # Errors
/// Never for rings of a plan that was read: names of simulated data planes are made from theirs.
pub fn simulate(plan: &RingPlan, tempo: Tempo, fleet: &Fleet, trial: &Trial) -> Result<Simulation, BadName> {
    let rings: Vec<Ring> = plan.rings.iter().map(|rules| rules.name.clone()).collect();
    let planes = plane::planes(fleet, &rings, trial)?;
    let reporting = u32::try_from(planes.iter().filter(|plane| !plane.offline).count()).unwrap_or(u32::MAX);
    let gated = gated::run(plan, &rings, tempo, fleet, planes.clone(), trial)?;
    let length = match gated.length {
        Some(length) if trial.breaks == Percent::default() => Some(length),
        _ => {
            let well = planes.iter().cloned().map(plane::Plane::well).collect();
            gated::run(plan, &rings, tempo, fleet, well, trial)?.length
        }
    };
    // What never gets through even when all is well has no length: its last ring's opening stands in.
    let last = plan.tempos.get(&tempo).and_then(|paces| paces.values().map(|pace| pace.opens_after).max());
    let length = length.or(last).unwrap_or_default();
    let timed = timed::run(&rings, planes, trial, length, fleet.poll_every.seconds());
    Ok(Simulation { tempo, data_planes: fleet.data_planes(), reporting, gated, timed })
}
