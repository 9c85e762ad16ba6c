//! Who proves a wave where some of those who started can't.

use pdp_policies::At;
use pdp_policies::rollout::{Command, CommandRefusal, HaltScope, Outcome, RolloutEvent};

use super::world::{World, ring};

#[test]
fn a_wave_whose_only_place_went_to_one_that_was_left_out_is_passed_by_people() {
    let mut world = World::at_once(&[("canary", 3)]);
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
    let mut world = World::at_once(&[("canary", 4)]);
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
    let mut world = World::at_once(&[("canary", 4)]);
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
    let mut world = World::at_once(&[("canary", 5)]);
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

/// It asks and gets its grant, and never says a word.
fn start_mute(world: &mut World, n: usize) {
    world.planes[n].heard = None;
    world.ready(n, 1).unwrap();
}

#[test]
fn a_wave_waits_for_one_that_was_never_heard_no_longer_than_silence_after() {
    let mut world = World::new(&[("canary", 2)]);
    world.planes[1].heard = None;
    world.settle();
    assert!(world.start(0));
    world.finish(0, Outcome::Healthy);
    world.settle();
    world.silence(900);
    world.report(0);
    world.settle();
    start_mute(&mut world, 1);
    let (canary, wave) = (ring("canary"), 1);
    let ask = |world: &World, command| world.ask("ada", &command).map(|event| event.is_some());
    let expedite = Command::Expedite { ring: canary.clone(), wave };
    assert_eq!(
        ask(&world, expedite),
        Err(CommandRefusal::NotProven),
        "the end of the soak would change nothing"
    );
    let acknowledge = Command::Acknowledge { ring: canary.clone(), wave };
    assert_eq!(ask(&world, acknowledge), Err(CommandRefusal::ProofPossible));
    for (seconds, passed) in [(899, 1), (1, 2)] {
        world.silence(seconds);
        world.report(0);
        world.settle();
        assert_eq!(world.rollout.rings[&canary].wave, passed, "one of the one that can tell is healthy");
    }
}

#[test]
fn a_ring_of_one_that_was_never_heard_is_acknowledged_after_silence_after_of_listening() {
    for (restart, waits) in [(0, 900), (500, 1400)] {
        let mut world = World::new(&[("canary", 1)]);
        world.settle();
        start_mute(&mut world, 0);
        world.listening = At::from_unix(world.now.unix() + restart);
        let acknowledge = Command::Acknowledge { ring: ring("canary"), wave: 0 };
        world.silence(waits - 1);
        assert_eq!(world.order("ada", acknowledge.clone()), Err(CommandRefusal::ProofPossible));
        world.silence(1);
        assert_eq!(world.order("ada", acknowledge), Ok(true));
        assert_eq!(world.rollout.rings[&ring("canary")].wave, 1);
    }
}

#[test]
fn the_end_of_a_soak_is_refused_where_it_would_change_nothing() {
    let soaking = || {
        let mut world = World::new(&[("canary", 3), ("early", 3)]);
        let rules = &mut world.channel.plan.rings[0];
        (rules.waves[0], rules.min_sample) = (pdp_policies::Cap::Count(2), 1);
        world.settle();
        assert!(world.start(0));
        world.finish(0, Outcome::Healthy);
        world.settle();
        world
    };
    let expedite = Command::Expedite { ring: ring("canary"), wave: 0 };
    let mut fallen = soaking();
    assert!(fallen.start(1));
    assert_eq!(fallen.ask("ada", &expedite), Err(CommandRefusal::NotProven), "one of two is healthy");
    let mut behind = soaking();
    let early = ring("early");
    behind.push(RolloutEvent::RingOpened { ring: early.clone() });
    behind.push(RolloutEvent::ShareReached { ring: early.clone(), wave: 0 });
    let halt = Command::Halt { scope: HaltScope::Ring { ring: ring("canary") } };
    assert_eq!(behind.order("ada", halt), Ok(true));
    let expedite_early = Command::Expedite { ring: early, wave: 0 };
    assert_eq!(behind.ask("ada", &expedite_early), Err(CommandRefusal::Halted), "an earlier ring holds it");
    let mut skipped = soaking();
    for n in 0..3 {
        let skip = Command::Skip { pdp: skipped.planes[n].pdp.clone() };
        assert_eq!(skipped.order("ada", skip), Ok(true));
    }
    assert_eq!(skipped.ask("ada", &expedite), Err(CommandRefusal::NobodyProves));
    let acknowledge = Command::Acknowledge { ring: ring("canary"), wave: 0 };
    assert_eq!(skipped.order("ada", acknowledge), Ok(true), "the way out that its hint names");
}
