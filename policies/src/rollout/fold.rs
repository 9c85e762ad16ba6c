//! A rollout as its events tell it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::event::{Outcome, RolloutEvent};
use super::halt::{Baseline, Halt, HaltScope, Pause};
use crate::names::{Organization, PdpId, Ring};
use crate::person::is_same_person;
use crate::plan::RingPlan;
use crate::time::At;

/// Where a rollout stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rollout {
    /// When it was created.
    pub created: Option<At>,
    /// Rings that opened.
    pub rings: BTreeMap<Ring, Progress>,
    /// Starts by PDP; each PDP counts once, in the ring where it started.
    pub starts: HashMap<PdpId, Started>,
    /// How many starts each ring has, for caps.
    pub started_in: BTreeMap<Ring, u32>,
    /// How many of them are healthy now, for the slow start.
    pub healthy: BTreeMap<Ring, usize>,
    /// Starts that haven't ended, by ring.
    pub running: BTreeMap<Ring, BTreeSet<PdpId>>,
    /// Starts that failed and weren't started again.
    pub failed: BTreeSet<PdpId>,
    /// Halts that stand.
    pub halts: BTreeMap<HaltScope, Halt>,
    /// The last resume of each scope.
    pub resumed: BTreeMap<HaltScope, Baseline>,
    /// That people hold it, none if they don't.
    pub paused: Option<Pause>,
    /// PDPs that people left out.
    pub skipped: BTreeSet<PdpId>,
    /// The highest attempt that people allowed; none means the first.
    pub retried: Option<u32>,
    /// How many events it has.
    pub events: u64,
}

/// How far an open ring has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// When it opened.
    pub opened: At,
    /// The wave that may start now; as many as there are once the ring has passed.
    pub wave: usize,
    /// When the current wave first reached its healthy share.
    pub share_reached: Option<At>,
    /// True if a person ended the soak of the current wave.
    pub expedited: bool,
    /// When the last wave so far passed.
    pub wave_passed: Option<At>,
}

/// A start that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The PDP's ring when it started.
    pub ring: Ring,
    /// Which try of the level, from 1.
    pub attempt: u32,
    /// When it was granted, or reported.
    pub at: At,
    /// When the grant lapses unused, none for a start that nobody granted.
    pub until: Option<At>,
    /// How it ended, none while it runs.
    pub outcome: Option<Outcome>,
    /// The number of the event that ended it.
    pub ended: Option<u64>,
    /// True if it was sick before its first start here. What a failed attempt left sick is the level's victim.
    pub sick: bool,
    /// The start before this one, which ended: it stands again if this one lapses.
    pub before: Option<Box<Started>>,
}

/// The rollout that these events make. Order is theirs.
pub fn fold<'a>(events: impl IntoIterator<Item = (At, &'a RolloutEvent)>) -> Rollout {
    let mut rollout = Rollout::default();
    for (at, event) in events {
        rollout.apply(at, event);
    }
    rollout
}

impl Rollout {
    /// One event on. What makes no sense where it stands changes nothing.
    pub fn apply(&mut self, at: At, event: &RolloutEvent) {
        self.events += 1;
        match event {
            RolloutEvent::Created {} => self.created = self.created.or(Some(at)),
            RolloutEvent::RingOpened { ring } => self.open(ring, at),
            RolloutEvent::ShareReached { ring, wave } => {
                if let Some(progress) = self.at_wave(ring, *wave) {
                    progress.share_reached = progress.share_reached.or(Some(at));
                }
            }
            RolloutEvent::Expedited { ring, wave, .. } => {
                if let Some(progress) = self.at_wave(ring, *wave) {
                    progress.expedited = true;
                }
            }
            RolloutEvent::WavePassed { ring, wave } | RolloutEvent::Acknowledged { ring, wave, .. } => {
                if let Some(progress) = self.at_wave(ring, *wave) {
                    progress.pass(at);
                }
            }
            RolloutEvent::Granted { pdp, ring, attempt, until, sick } => {
                self.start(pdp, ring, *attempt, at, Some(*until), *sick);
            }
            RolloutEvent::Adopted { pdp, ring, attempt, sick } => {
                self.start(pdp, ring, *attempt, at, None, *sick);
            }
            RolloutEvent::Ended { pdp, attempt, outcome } => self.end(pdp, *attempt, *outcome),
            RolloutEvent::Lapsed { pdp, attempt } => self.lapse(pdp, *attempt),
            RolloutEvent::Halted { scope, cause } => {
                let halt = Halt { at, event: self.events, cause: cause.clone(), resume_asked: None };
                // The first cause stays; whoever asked to resume before isn't heard any more.
                self.halts.entry(scope.clone()).or_insert(halt).resume_asked = None;
            }
            RolloutEvent::ResumeAsked { scope, by, .. } => {
                if let Some(halt) = self.halts.get_mut(scope) {
                    halt.resume_asked.get_or_insert_with(|| by.clone());
                }
            }
            RolloutEvent::Resumed { scope, by, .. } => self.resume(scope, by, at),
            RolloutEvent::Paused { by, reason } => {
                self.paused.get_or_insert_with(|| Pause { at, by: by.clone(), reason: reason.clone() });
            }
            RolloutEvent::Continued { .. } => self.paused = None,
            RolloutEvent::Retried { attempt, .. } => self.retried = self.retried.max(Some(*attempt)),
            RolloutEvent::Skipped { pdp, .. } => self.skip(pdp),
        }
    }

    fn open(&mut self, ring: &Ring, at: At) {
        let opened =
            Progress { opened: at, wave: 0, share_reached: None, expedited: false, wave_passed: None };
        self.rings.entry(ring.clone()).or_insert(opened);
    }

    fn at_wave(&mut self, ring: &Ring, wave: usize) -> Option<&mut Progress> {
        self.rings.get_mut(ring).filter(|progress| progress.wave == wave)
    }

    /// One person alone ends no halt, whatever the log says.
    fn resume(&mut self, scope: &HaltScope, by: &str, at: At) {
        let asked = self.halts.get(scope).and_then(|halt| halt.resume_asked.as_deref());
        if asked.is_some_and(|first| !is_same_person(first, by)) {
            self.halts.remove(scope);
            self.resumed.insert(scope.clone(), Baseline { event: self.events, at });
        }
    }

    /// Which try of the level may start now, from 1.
    pub fn attempt(&self) -> u32 {
        self.retried.unwrap_or(1).max(1)
    }

    /// True once all waves of a ring have passed.
    pub fn passed(&self, ring: &Ring, waves: usize) -> bool {
        self.rings.get(ring).is_some_and(|progress| progress.wave >= waves)
    }

    /// How many starts of a ring count.
    pub fn starts_in(&self, ring: &Ring) -> u32 {
        self.started_in.get(ring).copied().unwrap_or_default()
    }

    /// How many starts of a ring are healthy.
    pub fn healthy_in(&self, ring: &Ring) -> usize {
        self.healthy.get(ring).copied().unwrap_or_default()
    }

    /// True while this ring, or the whole rollout, is halted.
    pub fn is_halted(&self, ring: &Ring) -> bool {
        let ring = HaltScope::Ring { ring: ring.clone() };
        self.halts.contains_key(&HaltScope::Rollout {}) || self.halts.contains_key(&ring)
    }

    /// True while nothing may start in this ring for this organization.
    pub fn is_halted_for(&self, ring: &Ring, organization: Option<&Organization>) -> bool {
        let of = |organization: &Organization| HaltScope::Organization { organization: organization.clone() };
        self.is_halted(ring) || organization.is_some_and(|name| self.halts.contains_key(&of(name)))
    }

    /// What a ring's budget starts from: the last resume of the ring or of the whole rollout.
    pub fn forgiven(&self, ring: &Ring) -> Option<Baseline> {
        let ring = self.resumed.get(&HaltScope::Ring { ring: ring.clone() });
        ring.max(self.resumed.get(&HaltScope::Rollout {})).copied()
    }

    /// What an organization's failures in a ring count from: its own last resume as well.
    pub fn forgiven_for(&self, ring: &Ring, organization: &Organization) -> Option<Baseline> {
        let own = self.resumed.get(&HaltScope::Organization { organization: organization.clone() });
        self.forgiven(ring).max(own.copied())
    }

    /// True if all waves have passed and nothing runs: from here on it changes by further events, and by who leaves.
    pub fn rests(&self, plan: &RingPlan) -> bool {
        plan.rings.iter().all(|rules| self.passed(&rules.name, rules.waves.len()))
            && self.running.values().all(BTreeSet::is_empty)
    }

    /// True if nothing can happen any more that a rule would look at: nothing failed, runs, or may still pass.
    pub fn is_through(&self, plan: &RingPlan) -> bool {
        self.rests(plan) && self.failed.is_empty()
    }
}

impl Progress {
    fn pass(&mut self, at: At) {
        let wave = self.wave + 1;
        *self = Self { wave, share_reached: None, expedited: false, wave_passed: Some(at), ..*self };
    }
}
