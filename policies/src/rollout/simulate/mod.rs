//! What would happen: the engine's own functions over a fleet that people describe, in virtual time; beside it a
//! plan that knows nothing but time.

mod asks;
#[cfg(test)]
mod check;
mod course;
mod fleet;
mod gated;
mod people;
mod per_mille;
mod plane;
mod queue;
#[cfg(test)]
mod refusals;
mod reports;
mod scenario;
mod server;
mod sum;
mod text;
mod timed;

pub use course::{Course, HaltNote, Point, RingCourse, Simulation, Stall, Stop, WaveNote};
pub use fleet::{Between, Crowd, Fleet, MAX_DATA_PLANES, Windows};
pub use per_mille::PerMille;
pub use scenario::{LevelDoes, Others, Scenario};
pub use text::{headline, length, table, text};
pub use timed::WAVES;

use crate::names::{BadName, Ring};
use crate::plan::{RingPlan, Tempo};
use crate::time::Span;

/// What the level does to the fleet, and people about it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trial {
    /// The same seed gives the same fleet and the same fate.
    pub seed: u64,
    /// This share of the data planes is broken by the level.
    pub breaks: PerMille,
    /// From this time after the promotion on; those that were healthy by then break then.
    pub from: Span,
    /// And not before this time after the data plane's own start.
    pub after: Span,
    /// This share of the broken ones can't say so: they fall silent.
    pub cut_off: PerMille,
    /// This share of the data planes was sick before the update, and fails at it whatever the level is.
    pub sick: PerMille,
    /// This share fails at the update by chance, whatever the level is.
    pub by_chance: PerMille,
    /// People acknowledge a wave that has waited for them so long; without it they never do.
    pub acknowledge: Option<Span>,
    /// In the plan without feedback people would stop the rollout this long after the first failure.
    pub reaction: Span,
}

impl Trial {
    /// True if nothing fails.
    fn is_good(&self) -> bool {
        [self.breaks, self.sick, self.by_chance].iter().all(|share| *share == PerMille::default())
    }
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
    let reporting = u32::try_from(planes.iter().filter(|plane| plane.talks()).count()).unwrap_or(u32::MAX);
    let gated = gated::run(plan, &rings, tempo, fleet, planes.clone(), trial)?;
    let length = match gated.length {
        Some(length) if trial.is_good() => Some(length),
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
