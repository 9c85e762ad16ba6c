//! Caps: a place is taken at the grant and freed on certain knowledge only.

use pdp_policies::rollout::{GRANT_LIFE, Grant, Outcome, RolloutEvent};
use pdp_policies::{Cap, ObstacleCode, Percent, RingPlan, Tempo};

use super::world::{Does, World, pdp, ring};

fn hour() -> u32 {
    u32::try_from(GRANT_LIFE.seconds()).unwrap()
}

#[test]
fn asking_again_gives_the_same_grant_and_counts_once() {
    let mut world = World::at_once(&[("canary", 3)]);
    world.settle();
    let first = world.ready(0, 1).unwrap();
    let Grant::New { until, .. } = first else { panic!("{first:?}") };
    assert_eq!(world.ready(0, 1), Ok(Grant::Again { attempt: 1, until }));
    assert_eq!(world.ready(1, 1), Err(ObstacleCode::NoGrant), "the first wave counts one head");
    world.silence(hour());
    assert!(matches!(world.ready(0, 1), Ok(Grant::New { .. })), "renewed");
    assert_eq!(world.rollout.starts_in(&ring("canary")), 1);
}

#[test]
fn an_unused_grant_lapses_only_when_its_data_plane_says_so_after_it_ran_out() {
    let unused = || {
        let mut world = World::new(&[("canary", 3)]);
        world.settle();
        world.ready(0, 1).unwrap();
        world
    };
    let freed = |world: &World| world.rollout.starts.is_empty();

    let mut early = unused();
    early.silence(hour() - 1);
    early.report(0);
    assert!(!freed(&early), "it could still begin");

    let mut silent = unused();
    silent.silence(hour() * 24);
    silent.settle();
    assert!(!freed(&silent), "nobody knows");
    assert_eq!(silent.ready(1, 1), Err(ObstacleCode::Halted), "silence is a failure");

    let mut late = unused();
    let (issued, said) = (late.now, late.says(0));
    late.silence(hour() * 2);
    late.take(0, issued, said).unwrap();
    assert!(!freed(&late), "a report from before it ran out says nothing of after");

    for does in [Does::Nothing, Does::Defers] {
        let mut world = unused();
        world.planes[0].does = does;
        world.silence(hour());
        world.report(0);
        assert!(freed(&world), "{does:?}");
        assert_eq!(world.events.last().unwrap().1, RolloutEvent::Lapsed { pdp: pdp("canary-0"), attempt: 1 });
        assert!(world.start(1), "its place is free");
    }

    let mut begun = unused();
    let grant = begun.ready(0, 1).unwrap();
    begun.begin(0, grant);
    begun.report(0);
    begun.planes[0].does = Does::Nothing;
    begun.silence(hour());
    begun.report(0);
    assert!(!freed(&begun), "it said that it had begun: having forgotten it changes nothing");
}

#[test]
fn a_lapsed_retry_leaves_the_failure_that_it_was_for() {
    let mut world = World::new(&[("canary", 2)]);
    world.channel.plan.rings[0].failure_budget = 99.try_into().unwrap();
    world.channel.plan.rings[0].organization_failures = 9;
    world.settle();
    assert!(world.start(0));
    world.push(RolloutEvent::Ended { pdp: pdp("canary-0"), attempt: 1, outcome: Outcome::Failed });
    world.push(RolloutEvent::Retried { attempt: 2, by: "ada".into(), reason: "x".into() });
    let failed = world.rollout.starts[&pdp("canary-0")].clone();
    world.ready(0, 2).unwrap();
    world.planes[0].does = Does::Ended(1, Outcome::Failed);
    world.silence(hour());
    world.report(0);
    assert_eq!(world.rollout.starts[&pdp("canary-0")], failed);
    assert_eq!(world.rollout.starts_in(&ring("canary")), 1, "it did start once");
    assert!(world.rollout.failed.contains(&pdp("canary-0")));
}

#[test]
fn starts_in_flight_are_capped_and_silent_ones_hold_nobody_up() {
    let mut plan = RingPlan::shipped().unwrap();
    plan.rings[0].waves = vec![Cap::Percent(Percent::ALL)];
    (plan.rings[0].in_flight, plan.rings[0].slow_start) = (Some(Cap::Count(2)), false);
    plan.rings[0].failure_budget = 99.try_into().unwrap();
    plan.rings[0].organization_failures = 9;
    let mut world = World::with(plan, Tempo::Emergency, &[("canary", 5)]);
    world.settle();
    assert!(world.start(0) && world.start(1));
    assert_eq!(world.ready(2, 1), Err(ObstacleCode::NoGrant));
    assert!(world.ready(0, 1).is_ok(), "who flies already isn't asked again");
    world.finish(0, Outcome::Healthy);
    assert!(world.start(2));
    assert_eq!(world.ready(3, 1), Err(ObstacleCode::NoGrant));
    // 1 is never heard again.
    world.silence(900);
    world.report(2);
    assert!(world.start(3));
}

#[test]
fn a_start_that_nobody_granted_is_adopted_and_one_of_a_closed_level_is_not() {
    let mut world = World::at_once(&[("canary", 3)]);
    world.planes[2].does = Does::Applies(1);
    let said = world.says(2);
    assert!(world.take(2, world.now, said.clone()).is_err(), "never opened to anybody");
    world.settle();
    world.take(2, world.now, said).unwrap();
    assert_eq!(world.rollout.starts_in(&ring("canary")), 1);
    assert_eq!(world.ready(0, 1), Err(ObstacleCode::NoGrant), "it took the place");
}
