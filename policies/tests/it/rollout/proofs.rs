//! Who proves a wave where some of those who started can't.

use pdp_policies::rollout::{Command, CommandRefusal, Outcome};

use super::world::{World, ring};

#[test]
fn a_wave_whose_only_place_went_to_one_that_was_left_out_is_passed_by_people() {
    let mut world = World::new(&[("canary", 3)]);
    world.settle();
    assert!(world.start(0), "the first wave has one place");
    world.finish(0, Outcome::Failed);
    let ack = Command::Acknowledge { ring: ring("canary"), wave: 0 };
    assert_eq!(world.order("ada", ack.clone()), Err(CommandRefusal::ProofPossible), "it may be retried");
    let skip = Command::Skip { pdp: world.planes[0].pdp.clone() };
    assert_eq!(world.order("ada", skip), Ok(true));
    assert!(!world.start(1), "whoever is left out has started all the same");
    world.pass_time(3600);
    world.settle();
    assert_eq!(world.rollout.rings[&ring("canary")].wave, 0, "nobody proved anything");
    assert_eq!(world.order("ada", ack), Ok(true));
    assert_eq!(world.rollout.rings[&ring("canary")].wave, 1);
    assert!(world.start(1));
}

#[test]
fn what_cannot_be_measured_leaves_the_proof_to_the_others() {
    let mut world = World::new(&[("canary", 4)]);
    let rules = &mut world.channel.plan.rings[0];
    (rules.waves[0], rules.min_sample) = (pdp_policies::Cap::Count(2), 2);
    world.settle();
    assert!(world.start(0) && world.start(1));
    world.finish(0, Outcome::Written);
    world.settle();
    assert_eq!(world.rollout.rings[&ring("canary")].share_reached, None);
    world.finish(1, Outcome::Healthy);
    world.settle();
    assert_eq!(
        world.rollout.rings[&ring("canary")].share_reached,
        Some(world.now),
        "one of one that can tell"
    );
}

#[test]
fn who_started_and_was_never_heard_may_still_prove_the_wave_or_fail_it() {
    let mut world = World::new(&[("canary", 4)]);
    let rules = &mut world.channel.plan.rings[0];
    (rules.waves[0], rules.min_sample) = (pdp_policies::Cap::Count(3), 3);
    world.settle();
    assert!((0..3).all(|n| world.start(n)));
    world.finish(0, Outcome::Healthy);
    world.finish(1, Outcome::Healthy);
    world.planes[2].heard = None;
    world.settle();
    assert_eq!(world.rollout.rings[&ring("canary")].share_reached, None, "two of three");
    let ack = Command::Acknowledge { ring: ring("canary"), wave: 0 };
    assert_eq!(world.order("ada", ack), Err(CommandRefusal::ProofPossible));
    world.finish(2, Outcome::Healthy);
    world.settle();
    assert_eq!(world.rollout.rings[&ring("canary")].share_reached, Some(world.now));
}

#[test]
fn what_may_start_and_what_is_waited_for_are_counted_among_the_same_data_planes() {
    let mut world = World::new(&[("canary", 5)]);
    let rules = &mut world.channel.plan.rings[0];
    (rules.waves[0], rules.min_sample) = (pdp_policies::Cap::Percent(50.try_into().unwrap()), 2);
    world.settle();
    assert!(world.start(0));
    world.finish(0, Outcome::Written);
    // It moves on, its start stays: half of the four that are left is two, and one of these is used up.
    world.planes[0].ring = ring("early");
    assert_eq!(world.tally().present(&ring("canary")), 4);
    assert!(world.start(1) && !world.start(2));
    world.finish(1, Outcome::Healthy);
    world.settle();
    let reached = world.rollout.rings[&ring("canary")].share_reached;
    assert_eq!(reached, Some(world.now), "nobody is waited for who may not start");
}
