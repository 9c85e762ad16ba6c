//! A bar per ring, for `rollout status --watch` on a terminal.

use std::collections::HashMap;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use pdp_policies::Ring;
use pdp_policies::rollout::Phase;
use pdp_transport::channel_server::{RingStatus, RingView, RolloutView};

use super::status::counts;

/// The bars on the screen.
#[derive(Debug, Default)]
pub(super) struct Bars {
    screen: MultiProgress,
    rings: HashMap<Ring, ProgressBar>,
}

impl Bars {
    /// Draws the rollout as it is now: full is everybody in the ring, filled are those who are through.
    pub(super) fn show(&mut self, view: &RolloutView) {
        for ring in &view.rings {
            let bar = self.rings.entry(ring.ring.clone()).or_insert_with(|| self.screen.add(new()));
            let census = &ring.census;
            bar.set_length(u64::from(census.members));
            bar.set_position(u64::from(census.healthy + census.past + census.excluded));
            let sign = match ring.status {
                _ if ring.phase == Phase::Halted => "✗",
                _ if ring.phase == Phase::Paused => "‖",
                RingStatus::Waiting => "·",
                RingStatus::Open => "◎",
                RingStatus::Passed => "✔",
            };
            bar.set_prefix(format!("{sign} {:12}", ring.ring.as_str()));
            let wave =
                if ring.wave == 0 { String::new() } else { format!(" wave {}/{}", ring.wave, ring.waves) };
            let soak = ring.soaked_at.map_or_else(String::new, |at| format!(", soaks until {at}"));
            let left = left(ring);
            bar.set_message(format!("{wave}{soak}{left}{}", counts(census)));
        }
    }
}

/// What is left of the failure budget, once it is being used.
fn left(ring: &RingView) -> String {
    match ring.failures {
        0 => String::new(),
        failures => {
            let may = u64::from(ring.census.eligible()) * u64::from(ring.budget.get()) / 100;
            format!(", {failures} of {may} failures used")
        }
    }
}

fn new() -> ProgressBar {
    let bar = ProgressBar::new(0);
    match ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len}{msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
