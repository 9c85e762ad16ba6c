//! A rollout as its events tell it.

use std::collections::{BTreeMap, HashMap};

use super::event::{Outcome, RolloutEvent};
use crate::names::{PdpId, Ring};
use crate::time::At;

/// Where a rollout stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rollout {
    /// When it was created.
    pub created: Option<At>,
    /// Rings that opened.
    pub rings: BTreeMap<Ring, Progress>,
    /// Starts by PDP; each PDP counts once.
    pub starts: HashMap<PdpId, Started>,
    /// How many starts each ring has, for caps.
    pub started_in: BTreeMap<Ring, u32>,
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
        match event {
            RolloutEvent::Created {} => self.created = self.created.or(Some(at)),
            RolloutEvent::RingOpened { ring } => {
                let opened = Progress { opened: at, wave: 0, share_reached: None, wave_passed: None };
                self.rings.entry(ring.clone()).or_insert(opened);
            }
            RolloutEvent::ShareReached { ring, wave } => {
                if let Some(progress) = self.at_wave(ring, *wave) {
                    progress.share_reached = progress.share_reached.or(Some(at));
                }
            }
            RolloutEvent::WavePassed { ring, wave } | RolloutEvent::Acknowledged { ring, wave, .. } => {
                if let Some(progress) = self.at_wave(ring, *wave) {
                    *progress =
                        Progress { wave: wave + 1, share_reached: None, wave_passed: Some(at), ..*progress };
                }
            }
            RolloutEvent::Granted { pdp, ring, attempt, until } => {
                self.start(pdp, ring, *attempt, at, Some(*until));
            }
            RolloutEvent::Adopted { pdp, ring, attempt } => self.start(pdp, ring, *attempt, at, None),
            RolloutEvent::Ended { pdp, attempt, outcome } => {
                if let Some(start) = self.starts.get_mut(pdp).filter(|start| start.attempt == *attempt) {
                    start.outcome = Some(*outcome);
                }
            }
        }
    }

    fn at_wave(&mut self, ring: &Ring, wave: usize) -> Option<&mut Progress> {
        self.rings.get_mut(ring).filter(|progress| progress.wave == wave)
    }

    /// A grant for the same attempt renews it (a PDP may have lost its state); it never counts twice.
    fn start(&mut self, pdp: &PdpId, ring: &Ring, attempt: u32, at: At, until: Option<At>) {
        match self.starts.get_mut(pdp) {
            Some(start) if start.attempt >= attempt => {
                if start.attempt == attempt && until.is_some() && start.outcome != Some(Outcome::Failed) {
                    let at = if start.outcome.is_some() { at } else { start.at };
                    *start = Started { ring: start.ring.clone(), attempt, at, until, outcome: None };
                }
            }
            Some(start) => *start = Started { ring: start.ring.clone(), attempt, at, until, outcome: None },
            None => {
                let start = Started { ring: ring.clone(), attempt, at, until, outcome: None };
                self.starts.insert(pdp.clone(), start);
                *self.started_in.entry(ring.clone()).or_default() += 1;
            }
        }
    }

    /// True once all waves of a ring have passed.
    pub fn passed(&self, ring: &Ring, waves: usize) -> bool {
        self.rings.get(ring).is_some_and(|progress| progress.wave >= waves)
    }

    /// How many starts of a ring count.
    pub fn starts_in(&self, ring: &Ring) -> u32 {
        self.started_in.get(ring).copied().unwrap_or_default()
    }
}
