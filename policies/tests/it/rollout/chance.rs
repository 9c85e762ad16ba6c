//! Halts where failures are more than chance, whatever share they are.

use pdp_policies::rollout::{Cause, Command, Outcome};
use pdp_policies::{Cap, Percent, RingPlan, Tempo};

use super::halts::{of_ring, wide};
use super::world::{World, ring};

/// As [`wide`] with the shipped idea of chance, and a budget that bears all that chance may do.
fn by_chance(size: u32) -> World {
    let mut world = wide(50, u32::MAX, size);
    world.channel.plan.chance = RingPlan::shipped().unwrap().chance;
    world
}

#[test]
fn a_ring_halts_where_chance_explains_no_more_how_many_failed() {
    // Healthy, failures: halted?
    let table = [
        (0, 1, true),
        (2, 1, false),
        (20, 1, false),
        (74, 1, false),
        (20, 2, true),
        (90, 2, false),
        (90, 3, true),
    ];
    for (healthy, failures, halted) in table {
        let mut world = by_chance(300);
        for n in 0..healthy {
            assert!(world.start(n));
            world.finish(n, Outcome::Healthy);
        }
        for n in healthy..healthy + failures {
            assert!(world.start(n));
            world.finish(n, Outcome::Failed);
        }
        world.settle();
        let halt = world.rollout.halts.get(&of_ring("canary")).map(|halt| halt.cause.clone());
        let eligible = u32::try_from(healthy + failures).unwrap();
        let failures = u32::try_from(failures).unwrap();
        let cause =
            Cause::FailureBudget { failures, eligible, budget: 50.try_into().unwrap(), chance: Some(3) };
        assert_eq!(halt, halted.then_some(cause), "{failures} beside {healthy} healthy ones");
    }
}

#[test]
fn what_people_forgave_speaks_no_longer_for_a_bad_level() {
    let mut world = by_chance(300);
    for n in 0..40 {
        assert!(world.start(n));
        world.finish(n, if n < 38 { Outcome::Healthy } else { Outcome::Failed });
    }
    world.settle();
    world.resume(&of_ring("canary"));
    world.settle();
    assert!(world.rollout.halts.is_empty(), "two are forgiven");
    for n in 40..42 {
        assert!(world.start(n));
    }
    world.finish(40, Outcome::Failed);
    world.settle();
    assert!(world.rollout.halts.is_empty(), "one more may be chance");
    world.finish(41, Outcome::Failed);
    world.settle();
    assert!(world.rollout.is_halted(&ring("canary")), "two aren't");
}

/// Two rings with 38 healthy ones and one failed one in the first, and ten healthy ones in the second. `between` is what
/// people do when the first is done.
fn two_rings(between: impl Fn(&mut World)) -> World {
    let mut plan = RingPlan::shipped().unwrap();
    for rules in plan.rings.iter_mut().take(2) {
        rules.waves = vec![Cap::Percent(Percent::ALL)];
        (rules.in_flight, rules.slow_start) = (None, false);
        (rules.failure_budget, rules.healthy_share) = (50.try_into().unwrap(), 50.try_into().unwrap());
        rules.organization_failures = u32::MAX;
    }
    let mut world = World::with(plan, Tempo::Emergency, &[("canary", 40), ("early", 60)]);
    world.settle();
    for n in 0..39 {
        assert!(world.start(n));
        world.finish(n, if n < 38 { Outcome::Healthy } else { Outcome::Failed });
    }
    world.settle();
    between(&mut world);
    assert!(world.rollout.halts.is_empty());
    for _ in 0..3 {
        world.pass_time(1800);
        world.settle();
    }
    for n in 40..50 {
        assert!(world.start(n));
        world.finish(n, Outcome::Healthy);
    }
    world
}

#[test]
fn what_the_rings_before_saw_counts() {
    let mut world = two_rings(|_| {});
    assert!(world.start(50));
    world.finish(50, Outcome::Failed);
    world.settle();
    assert!(world.rollout.is_halted(&ring("early")), "one more after the first is more than chance");
    assert!(!world.rollout.is_halted(&ring("canary")), "nothing new failed there");
}

#[test]
fn what_people_forgave_in_a_ring_before_speaks_no_longer() {
    let mut world = two_rings(|world| {
        world.order("ada", Command::Halt { scope: of_ring("canary") }).unwrap();
        world.resume(&of_ring("canary"));
        world.settle();
    });
    assert!(world.start(50));
    world.finish(50, Outcome::Failed);
    world.settle();
    assert!(world.rollout.halts.is_empty());
}
