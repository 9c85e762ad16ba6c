//! What waits for people, and what they do about it.

use super::course::{Course, Stall};
use super::server::Server;
use crate::names::Ring;
use crate::plan::RingRules;
use crate::rollout::{Command, Fate, Lack, Order, command, lack};

impl Server<'_> {
    /// Acknowledges the wave that has waited for people as long as they let it.
    pub(super) fn people(&mut self) {
        self.waits = self.waiting().map(|(ring, wave)| match self.waits.take() {
            Some(waits) if (&waits.0, waits.1) == (&ring, wave) => waits,
            _ => (ring, wave, self.now),
        });
        if self.acknowledged_at().is_some_and(|at| at <= self.now) {
            self.acknowledge();
        }
    }

    fn acknowledge(&mut self) {
        let Some((ring, wave, _)) = self.waits.take() else { return };
        let order = Order {
            command: &Command::Acknowledge { ring, wave },
            by: "people",
            reason: "nobody is there to prove it",
        };
        let plan = &self.channel.plan;
        if let Ok(Some(event)) = command(plan, &self.rollout, Fate::default(), &self.tally, order) {
            self.push(&event);
            self.settle();
        }
    }

    /// When people acknowledge what waits for them.
    pub(super) fn acknowledged_at(&self) -> Option<i64> {
        let (.., since) = self.waits.as_ref()?;
        Some(since + self.trial.acknowledge?.seconds())
    }

    fn waiting(&self) -> Option<(Ring, usize)> {
        let (rules, wave) = self.current()?;
        let nobody =
            lack(&self.channel.plan, rules, wave, &self.tally, &self.rollout) == Some(Lack::Nobody {});
        nobody.then(|| (rules.name.clone(), wave))
    }

    /// The wave that has to pass next; none if its ring isn't open, or something is halted up to it.
    fn current(&self) -> Option<(&RingRules, usize)> {
        for rules in &self.channel.plan.rings {
            let progress = self.rollout.rings.get(&rules.name)?;
            if self.rollout.is_halted(&rules.name) {
                return None;
            }
            if progress.wave < rules.waves.len() {
                return Some((rules, progress.wave));
            }
        }
        None
    }

    /// The end: nothing will happen any more.
    pub(super) fn finish(mut self, moved: i64) -> Course {
        self.course.stall = self.current().and_then(|(rules, wave)| {
            let lack = lack(&self.channel.plan, rules, wave, &self.tally, &self.rollout)?;
            Some(Stall { ring: rules.name.clone(), wave, waves: rules.waves.len(), lack })
        });
        self.course.finish(&self.point, moved)
    }
}
