//! Three canaries, every order of all that they do, every way it can end.

use pdp_policies::rollout::Outcome;

use super::world::{Does, World, ring};

/// Each canary asks, begins and ends, and reports: in this order, interleaved in every way with the others.
const STEPS: [u8; 3] = [3, 3, 3];

/// Plays on from here in every possible order; counts the ends.
fn play(world: &World, left: [u8; 3], outcomes: [Outcome; 3], ends: &mut u32) {
    if left == [0, 0, 0] {
        *ends += 1;
        return;
    }
    for n in 0..3 {
        if left[n] == 0 {
            continue;
        }
        let (mut next, mut rest) = (world.clone(), left);
        rest[n] -= 1;
        let halted = next.rollout.is_halted(&ring("canary"));
        match left[n] {
            3 => {
                if let Ok(grant) = next.ready(n, 1) {
                    assert!(!halted, "a grant after the halt");
                    next.begin(n, grant);
                }
            }
            2 => next.end(n, outcomes[n]),
            _ => next.report(n),
        }
        next.settle();
        check(&next, halted);
        play(&next, rest, outcomes, ends);
    }
}

fn check(world: &World, was_halted: bool) {
    let canary = ring("canary");
    let began = world.planes.iter().filter(|plane| plane.does != Does::Nothing).count() as u32;
    assert!(began <= world.rollout.starts_in(&canary), "a start that nobody counts");
    assert!(world.rollout.starts_in(&canary) <= world.cap(&canary), "more starts than the cap");
    assert!(!was_halted || world.rollout.is_halted(&canary), "a halt ended by itself");
    let known = world.planes.iter().any(|plane| {
        plane.last.as_ref().is_some_and(|(_, said)| said.state == pdp_policies::report::ReportState::Failed)
    });
    assert_eq!(
        known,
        world.rollout.is_halted(&canary),
        "one known failure halts a canary ring, nothing else does"
    );
    assert_eq!(world.rollout.rings.len(), 1, "early isn't due yet");
}

#[test]
fn every_order_of_three_canaries_keeps_cap_and_halt() {
    let mut ends = 0;
    for bits in 0..8u8 {
        let outcome = |n: u8| if bits & (1 << n) == 0 { Outcome::Healthy } else { Outcome::Failed };
        for cap in [1, 2] {
            let mut world = World::at_once(&[("canary", 3)]);
            world.channel.plan.rings[0].waves[0] = pdp_policies::Cap::Count(cap);
            world.settle();
            play(&world, STEPS, [outcome(0), outcome(1), outcome(2)], &mut ends);
        }
    }
    assert_eq!(ends, 16 * 1680, "9! / (3! 3! 3!) orders of each");
}
