//! `rollout status --watch` where there is no terminal: a line per change, and never a flood.

use std::collections::HashMap;

use pdp_policies::rollout::{Lack, Phase};
use pdp_policies::{At, Ring};
use pdp_transport::channel_server::{RingStatus, RingView, RolloutView};

use super::holds::{Hold, holds};
use super::left::When;
use super::{ring, title};

/// Where only numbers move, a ring is told of once in so many seconds.
const PACE: i64 = 60;

/// What was told last.
#[derive(Debug, Default)]
pub(super) struct Lines {
    title: String,
    holds: Vec<Hold>,
    rings: HashMap<Ring, Told>,
}

#[derive(Debug)]
struct Told {
    at: At,
    turn: Turn,
    words: String,
}

/// What is worth a line at once.
#[derive(Debug, PartialEq, Eq)]
struct Turn {
    status: RingStatus,
    phase: Phase,
    wave: usize,
    failed: bool,
    lack: Option<std::mem::Discriminant<Lack>>,
}

impl Lines {
    /// The lines that are new. All begin with the server's time.
    pub(super) fn news(&mut self, view: &RolloutView) -> Vec<String> {
        let mut lines = Vec::new();
        let title = title(view);
        if self.title != title {
            lines.push(title.clone());
            self.title = title;
        }
        lines.extend(self.holding(view));
        for (place, ring) in view.rings.iter().enumerate() {
            lines.extend(self.ring(view, ring, place));
        }
        lines.into_iter().map(|line| format!("{} {line}", view.now)).collect()
    }

    /// How long something has been held changes all the time and is no news; who asks to end it is.
    fn holding(&mut self, view: &RolloutView) -> Vec<String> {
        let (now, before) = (holds(view), std::mem::take(&mut self.holds));
        let is_gone = |hold: &&Hold| !now.iter().any(|other| other.key == hold.key);
        let over = before.iter().filter(is_gone).map(|hold| format!("✔ over: {}", hold.what));
        let known =
            |hold: &Hold| before.iter().any(|other| (&other.key, &other.next) == (&hold.key, &hold.next));
        let new = now.iter().filter(|hold| !known(hold));
        let lines = over.chain(new.map(|hold| format!("✗ {}; {}", hold.what, hold.next))).collect();
        self.holds = now;
        lines
    }

    fn ring(&mut self, view: &RolloutView, ring: &RingView, place: usize) -> Option<String> {
        let mut words = ring::state(ring, place, When::Until);
        let next = ring::next(view, ring).map(|next| next.to_string());
        for more in [ring::census(ring), next].into_iter().flatten() {
            words = format!("{words}; {more}");
        }
        let turn = Turn {
            status: ring.status,
            phase: ring.phase,
            wave: ring.wave,
            failed: ring.failures > 0,
            lack: ring.lacks.as_ref().map(std::mem::discriminant),
        };
        let early =
            |told: &Told| told.turn == turn && view.now.seconds_since(told.at).unsigned_abs() < PACE as u64;
        if self.rings.get(&ring.ring).is_some_and(|told| told.words == words || early(told)) {
            return None;
        }
        let line = format!("{} {} {words}", ring::sign(ring), ring.ring);
        self.rings.insert(ring.ring.clone(), Told { at: view.now, turn, words });
        Some(line)
    }
}
