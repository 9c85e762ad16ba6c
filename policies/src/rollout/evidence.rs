//! Whether a ring's failures are more than chance.
//!
//! A test that one looks at after each report must not find something in the end only because one looked often. This is a
//! likelihood ratio: how much likelier what was seen is if the level is bad than if it is good, as the mean over several
//! kinds of bad levels. For a good level its mean is 1 at any time, so it ever reaches 1/a in at most a share a of all
//! rollouts (J. Ville, 1939; A. Wald's sequential test, 1945, is the case of one kind). Each ring looks at a sum of its own: the
//! promise is each ring's, and not quite that of all together; in replays all together use up half of it.

use super::census::Tally;
use crate::names::Ring;
use crate::plan::{Chance, RingPlan};

/// Shares of data planes that a bad level may break, and how much each kind counts. Each is twice the one before, so that
/// none in between is far from one; those that are least seen count most. What breaks less than twice as many as chance
/// does isn't looked for.
const KINDS: [(f64, f64); 5] = [(0.0125, 0.25), (0.025, 0.25), (0.05, 0.3), (0.1, 0.15), (1.0, 0.05)];
/// How much it counts that a level is bad from the first ring on; the other rings share the rest.
const FROM_THE_FIRST: f64 = 0.8;

/// What is known of the data planes of one ring that started, ended or fell silent, and weren't forgiven.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Judged {
    healthy: u32,
    failed: u32,
}

/// True if so many failures in `ring`, together with what the rings before it saw, are more than chance.
///
/// A level may be bad from the first ring on, or only for what is in a later one (another CNI, another size).
pub(super) fn is_beyond_chance(
    chance: Chance,
    plan: &RingPlan,
    ring: &Ring,
    tally: &Tally,
    failures: u32,
) -> bool {
    let Some(position) = plan.position(ring) else { return false };
    let mut rings: Vec<_> =
        plan.rings.iter().take(position + 1).map(|rules| judged(tally, &rules.name)).collect();
    if let Some(this) = rings.last_mut() {
        this.failed = failures;
    }
    let total: f64 = (0..rings.len())
        .map(|first| {
            weight(first, plan.rings.len()) * likelier(chance, sum(rings.get(first..).unwrap_or_default()))
        })
        .sum();
    failures > 0 && total * f64::from(chance.halts_in_vain.get()) >= 100.0
}

/// How much it counts that a level is bad from this ring on.
fn weight(first: usize, rings: usize) -> f64 {
    match (first, u32::try_from(rings.saturating_sub(1)).unwrap_or(u32::MAX)) {
        (0, 0) => 1.0,
        (0, _) => FROM_THE_FIRST,
        (_, others) => (1.0 - FROM_THE_FIRST) / f64::from(others),
    }
}

fn judged(tally: &Tally, ring: &Ring) -> Judged {
    Judged { healthy: tally.census(ring).healthy, failed: tally.failures(ring).all }
}

fn sum(rings: &[Judged]) -> Judged {
    rings.iter().fold(Judged::default(), |sum, ring| Judged {
        healthy: sum.healthy.saturating_add(ring.healthy),
        failed: sum.failed.saturating_add(ring.failed),
    })
}

/// How much likelier this is if the level is bad, as the mean over [`KINDS`].
fn likelier(chance: Chance, seen: Judged) -> f64 {
    let by_chance = f64::from(chance.failures_per_mille) / 1000.0;
    let kinds = || KINDS.into_iter().filter(|(breaks, _)| *breaks >= 2.0 * by_chance);
    let all: f64 = kinds().map(|(_, counts)| counts).sum();
    kinds().map(|(breaks, counts)| ratio(breaks, by_chance, seen) * counts / all).sum()
}

fn ratio(breaks: f64, by_chance: f64, seen: Judged) -> f64 {
    // What breaks all has no healthy one; 0 × the logarithm of 0 is no number.
    let healthy = match seen.healthy {
        0 => 0.0,
        healthy => f64::from(healthy) * ((1.0 - breaks) / (1.0 - by_chance)).ln(),
    };
    (f64::from(seen.failed) * (breaks / by_chance).ln() + healthy).exp()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shipped() -> Chance {
        RingPlan::shipped().unwrap().chance.unwrap()
    }

    /// The least number of healthy ones beside which so many failures are chance.
    fn borne_from(failed: u32) -> u32 {
        let beyond = |healthy| likelier(shipped(), Judged { healthy, failed }) >= 10.0;
        (0..2000).find(|healthy| !beyond(*healthy)).unwrap()
    }

    #[test]
    fn the_more_are_healthy_the_more_failures_are_chance() {
        let borne: Vec<_> = (1..=6).map(borne_from).collect();
        assert_eq!(borne, [5, 66, 152, 260, 383, 518]);
        let of = |healthy, failed| likelier(shipped(), Judged { healthy, failed });
        assert!((of(0, 0) - 1.0).abs() < 1e-9 && of(0, 100_000).is_infinite() && of(100_000, 1) < 1e-9);
    }

    /// The promise itself: over all ways in which a good level may go, one data plane after the other, the share that
    /// ever reaches the bound keeps to it. Computed exactly: `alive` holds the probability of each number of failures.
    #[test]
    fn a_good_level_is_halted_in_vain_no_more_often_than_said() {
        let by_chance = f64::from(shipped().failures_per_mille) / 1000.0;
        let (mut alive, mut halted) = (vec![1.0], 0.0);
        for started in 1..=2000_u32 {
            let mut next = vec![0.0; alive.len() + 1];
            for (failed, share) in alive.iter().enumerate() {
                next[failed] += share * (1.0 - by_chance);
                next[failed + 1] += share * by_chance;
            }
            for (failed, share) in next.iter_mut().enumerate() {
                let failed = u32::try_from(failed).unwrap();
                if likelier(shipped(), Judged { healthy: started - failed, failed }) >= 10.0 {
                    halted += std::mem::take(share);
                }
            }
            while next.last().is_some_and(|share| *share == 0.0) {
                next.pop();
            }
            alive = next;
        }
        assert!(halted <= 0.1 && halted > 0.01, "{halted}");
    }
}
