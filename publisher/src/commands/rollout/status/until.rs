//! When watching ends, and with which word.

use pdp_policies::rollout::{Lack, Phase};
use pdp_transport::channel_server::{RingStatus, RolloutView};

use super::holds::{has_passed, holds};
use super::ring;

/// How long to watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Until {
    /// All rings have passed, or the level is withdrawn: stays through halts and pauses, for people.
    Passed,
    /// Also ends when it can't go on by itself: halted (more than one organization), paused, stopped, catalog
    /// expired, superseded, or nobody is left who could prove a wave. For scripts.
    Held,
}

/// Why watching ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// All rings have passed.
    Passed,
    /// It can't go on by itself, and what would let it.
    Held(String),
}

/// None while there is something to watch.
pub(super) fn end(view: &RolloutView, until: Until) -> Option<End> {
    let hold = holds(view).into_iter().find(|hold| hold.whole);
    let hold = hold.map(|hold| format!("{}; {}", hold.what, hold.next));
    match (until, hold) {
        (_, Some(why)) if view.braked.as_deref() == Some("Withdrawn") => Some(End::Held(why)),
        (Until::Held, Some(why)) => Some(End::Held(why)),
        _ if has_passed(view) => Some(End::Passed),
        (Until::Held, None) => stuck(view).map(End::Held),
        (Until::Passed, _) => None,
    }
}

/// Why the first ring that hasn't passed never will without people.
fn stuck(view: &RolloutView) -> Option<String> {
    let next = view.rings.iter().find(|ring| ring.status != RingStatus::Passed)?;
    if next.phase == Phase::Superseded {
        return Some(format!(
            "a higher level took its place, ring `{}` won't open; withdraw that level, or follow it",
            next.ring
        ));
    }
    if ring::is_exhausted(next) {
        let people = ring::next(view, next).map_or_else(String::new, |next| format!(": {next}"));
        return Some(format!(
            "wave {} of ring `{}` has nobody left to prove it{people}",
            next.wave, next.ring
        ));
    }
    let census = &next.census;
    let alone = census.deferred + census.not_reporting + census.waiting == 0;
    let nobody = matches!(next.lacks, Some(Lack::Nobody {})) && alone;
    nobody.then(|| {
        let people = ring::next(view, next).map_or_else(String::new, |next| format!("; {next}"));
        format!("nobody is left to prove wave {} of ring `{}`{people}", next.wave, next.ring)
    })
}
