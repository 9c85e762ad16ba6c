//! Who opens a level to this PDP: the channel itself, or an instruction.

use std::collections::BTreeSet;

use super::permit::Authority;
use super::{Instruction, Situation};
use crate::channel::{Overridable, Promotion};
use crate::codes::{Obstacle, ObstacleCode as Code};
use crate::cohort;
use crate::instruction::{Assignment, RingState};
use crate::names::{Level, Ring};
use crate::plan::RingPlan;
use crate::time::At;
use crate::trust::Descriptor;

/// The later of the PDP's own ring and the assignment's: nobody can move a PDP to an earlier one.
pub fn effective_ring<'a>(plan: &RingPlan, own: &'a Ring, instruction: Instruction<'a>) -> &'a Ring {
    let Instruction::Server(Some(assignment)) = instruction else { return own };
    match plan.position(&assignment.ring) {
        Some(theirs) if plan.position(own).is_none_or(|own| theirs > own) => &assignment.ring,
        _ => own,
    }
}

/// A level at the door.
pub(super) struct Door<'a> {
    pub(super) promotion: &'a Promotion,
    pub(super) descriptor: &'a Descriptor,
    pub(super) situation: &'a Situation<'a>,
    /// The effective ring.
    pub(super) ring: &'a Ring,
    /// Version of the role `channels`.
    pub(super) channels: u64,
    /// The customer's instruments that this level may pass.
    pub(super) passes: BTreeSet<Overridable>,
    /// The PDP's clock.
    pub(super) now: At,
}

impl Door<'_> {
    /// The authority under which the level may start, or why the door is closed.
    ///
    /// The channel's own door is people's word: it stands whatever a server says or leaves unsaid.
    pub(super) fn open(&self) -> Result<Authority, Vec<Obstacle>> {
        if let Instruction::Approval = self.situation.instruction {
            // The customer's quorum is checked beside the door; rings are for those whom the vendor moves.
            return Ok(Authority::Approval { approvers: Vec::new() });
        }
        self.earliest_time()?;
        if let Some(authority) = self.channel() {
            return Ok(authority);
        }
        match self.situation.instruction {
            Instruction::Channel => Err(vec![self.closed("the vendor hasn't opened it")]),
            Instruction::Server(None) => Err(vec![self.closed("the server hasn't said anything valid")]),
            Instruction::Server(Some(assignment)) => self.server(assignment),
            Instruction::RingState(None) => Err(vec![self.closed("no valid ring state is there")]),
            Instruction::RingState(Some(state)) => self.ring_state(state),
            Instruction::Approval => Err(Vec::new()),
        }
    }

    /// No online key opens a ring before the time that people signed.
    fn earliest_time(&self) -> Result<(), Vec<Obstacle>> {
        let ring = self.ring;
        match self.promotion.opens_at.get(ring) {
            Some(at) if *at > self.now => {
                let detail = format!("ring `{ring}` opens later");
                Err(vec![Obstacle::new(Code::RingNotOpenYet, Some(*at), detail)])
            }
            Some(_) => Ok(()),
            None => Err(vec![self.closed("the channel has no earliest time for it")]),
        }
    }

    /// The channel knows no second attempt: where one is open, it is the instruction's.
    fn channel(&self) -> Option<Authority> {
        let failed = self.situation.quarantined.get(&self.descriptor.sha256);
        if failed.is_some_and(|failed| self.attempt() > *failed) {
            return None;
        }
        let percent = *self.promotion.open_to.get(self.ring)?;
        let (ring, passed) = (self.ring.clone(), self.passes.clone());
        let within = cohort::contains(&self.descriptor.sha256, self.situation.pdp, percent);
        within.then_some(Authority::OpenTo { ring, percent, channels: self.channels, passed })
    }

    fn server(&self, assignment: &Assignment) -> Result<Authority, Vec<Obstacle>> {
        let level = self.descriptor.release.level;
        let ceiling = assignment.ceiling.as_ref().filter(|ceiling| ceiling.line == *self.situation.line);
        let held = assignment.hold.iter().map(|code| Obstacle::new(*code, None, "the server holds it"));
        if ceiling.is_none_or(|ceiling| level > ceiling.level) {
            let closed = self.closed("the server hasn't opened it");
            return Err(std::iter::once(closed).chain(held.filter(|o| o.code != Code::NoGrant)).collect());
        }
        let granted = assignment.start.as_ref().filter(|start| {
            (start.level, start.sha256) == (level, self.descriptor.sha256) && start.until > self.now
        });
        match granted {
            Some(start) => Ok(Authority::Grant {
                ring: self.ring.clone(),
                attempt: start.attempt,
                issued: assignment.issued,
                passed: self.passes.clone(),
            }),
            None => {
                let held: Vec<_> = held.collect();
                let none = Obstacle::new(Code::NoGrant, None, "the server hasn't granted the start");
                Err(if held.is_empty() { vec![none] } else { held })
            }
        }
    }

    fn ring_state(&self, state: &RingState) -> Result<Authority, Vec<Obstacle>> {
        let level: Level = self.descriptor.release.level;
        let share = state
            .levels
            .get(&level)
            .filter(|open| open.sha256 == self.descriptor.sha256)
            .and_then(|open| open.rings.get(self.ring));
        let Some(share) = share else {
            return Err(vec![self.closed("the ring state hasn't opened it")]);
        };
        if share.halted {
            return Err(vec![Obstacle::new(Code::Halted, None, "the vendor halted it")]);
        }
        if !cohort::contains(&self.descriptor.sha256, self.situation.pdp, share.percent) {
            return Err(vec![self.closed(&format!("open to {}", share.percent))]);
        }
        Ok(Authority::RingState {
            ring: self.ring.clone(),
            percent: share.percent,
            attempt: share.attempt,
            issued: state.issued,
            passed: self.passes.clone(),
        })
    }

    /// Which try of the level the instruction has in mind, from 1.
    pub(super) fn attempt(&self) -> u32 {
        let level = self.descriptor.release.level;
        match self.situation.instruction {
            Instruction::Server(Some(assignment)) => {
                let meant = assignment.ceiling.as_ref().is_some_and(|ceiling| ceiling.level == level);
                if meant { assignment.attempt } else { 1 }
            }
            Instruction::RingState(Some(state)) => {
                let share = state.levels.get(&level).and_then(|open| open.rings.get(self.ring));
                share.map_or(1, |share| share.attempt)
            }
            _ => 1,
        }
    }

    fn closed(&self, why: &str) -> Obstacle {
        let open = self.promotion.open_to.get(self.ring);
        let share = open.map_or_else(String::new, |percent| format!("; the channel opened it to {percent}"));
        let detail = format!("{why} to ring `{}`{share}", self.ring);
        Obstacle::new(Code::RingNotOpenYet, None, detail)
    }
}
