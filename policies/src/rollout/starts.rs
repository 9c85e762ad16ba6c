//! Starts: counted once per PDP, from the moment of the grant, in the ring where it started.

use super::event::Outcome;
use super::fold::{Rollout, Started};
use crate::names::{PdpId, Ring};
use crate::time::At;

impl Rollout {
    /// A grant for the same attempt renews it (a PDP may have lost its state); it never counts twice.
    pub(super) fn start(
        &mut self,
        pdp: &PdpId,
        ring: &Ring,
        attempt: u32,
        at: At,
        until: Option<At>,
        sick: bool,
    ) {
        let Some(start) = self.starts.get(pdp) else {
            let start = Started {
                ring: ring.clone(),
                attempt,
                at,
                until,
                outcome: None,
                ended: None,
                sick,
                before: None,
            };
            self.running.entry(ring.clone()).or_default().insert(pdp.clone());
            self.starts.insert(pdp.clone(), start);
            *self.started_in.entry(ring.clone()).or_default() += 1;
            return;
        };
        let renewed = start.attempt == attempt && until.is_some() && start.outcome != Some(Outcome::Failed);
        if start.attempt >= attempt && !renewed {
            return;
        }
        // A retry finds what the attempt before left: only the first start tells who was sick already.
        let sick = start.sick;
        let first = if start.attempt == attempt && start.outcome.is_none() { start.at } else { at };
        let begun = start.outcome.is_some() || start.until.is_none();
        let before = match begun {
            true => Some(Box::new(Started { before: None, ..start.clone() })),
            false => start.before.clone(),
        };
        let (ring, was_healthy) = (start.ring.clone(), start.is_healthy());
        self.count_healthy(&ring, was_healthy, false);
        self.running.entry(ring.clone()).or_default().insert(pdp.clone());
        self.failed.remove(pdp);
        let start = Started { ring, attempt, at: first, until, outcome: None, ended: None, sick, before };
        self.starts.insert(pdp.clone(), start);
    }

    /// What failed stays failed for that attempt.
    pub(super) fn end(&mut self, pdp: &PdpId, attempt: u32, outcome: Outcome) {
        let number = self.events;
        let open = |start: &&mut Started| {
            start.attempt == attempt
                && !matches!(start.outcome, Some(ended) if ended == outcome || ended == Outcome::Failed)
        };
        let Some(start) = self.starts.get_mut(pdp).filter(open) else { return };
        let was_healthy = start.is_healthy();
        (start.outcome, start.ended) = (Some(outcome), Some(number));
        let (ring, is_healthy) = (start.ring.clone(), start.is_healthy());
        self.count_healthy(&ring, was_healthy, is_healthy);
        self.stop_running(&ring, pdp);
        if outcome == Outcome::Failed {
            self.failed.insert(pdp.clone());
        }
    }

    /// Frees the place of a grant that wasn't used; what the PDP had started before stands again.
    pub(super) fn lapse(&mut self, pdp: &PdpId, attempt: u32) {
        let unused =
            |start: &&Started| start.attempt == attempt && start.outcome.is_none() && start.until.is_some();
        let Some(start) = self.starts.get(pdp).filter(unused) else { return };
        let (ring, before) = (start.ring.clone(), start.before.clone());
        self.stop_running(&ring, pdp);
        match before {
            Some(before) => {
                self.count_healthy(&ring, false, before.is_healthy());
                match before.outcome {
                    None => {
                        self.running.entry(ring).or_default().insert(pdp.clone());
                    }
                    Some(Outcome::Failed) => {
                        self.failed.insert(pdp.clone());
                    }
                    Some(_) => {}
                }
                self.starts.insert(pdp.clone(), *before);
            }
            None => {
                self.starts.remove(pdp);
                if let Some(count) = self.started_in.get_mut(&ring) {
                    *count = count.saturating_sub(1);
                }
            }
        }
    }

    pub(super) fn skip(&mut self, pdp: &PdpId) {
        self.skipped.insert(pdp.clone());
        if let Some(ring) = self.starts.get(pdp).map(|start| start.ring.clone()) {
            self.stop_running(&ring, pdp);
        }
    }

    fn count_healthy(&mut self, ring: &Ring, was: bool, is: bool) {
        if was != is {
            let count = self.healthy.entry(ring.clone()).or_default();
            *count = if is { *count + 1 } else { count.saturating_sub(1) };
        }
    }

    fn stop_running(&mut self, ring: &Ring, pdp: &PdpId) {
        if let Some(running) = self.running.get_mut(ring) {
            running.remove(pdp);
        }
    }
}

impl Started {
    fn is_healthy(&self) -> bool {
        self.outcome == Some(Outcome::Healthy)
    }
}
