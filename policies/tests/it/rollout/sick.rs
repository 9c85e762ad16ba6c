//! Who was sick before an update is not its victim, and proves it by getting well.

use pdp_policies::report::{CatalogVersions, LevelDigest, Report};
use pdp_policies::rollout::{Lack, Outcome, PdpState, Rollout, RolloutEvent, Wellness, lack};
use pdp_policies::{API_VERSION, Digest, Level};

use super::world::{Does, World, pdp, ring};
use crate::vendor::now;

fn canary(wellness: Wellness) -> World {
    let mut world = World::at_once(&[("canary", 3)]);
    world.planes[0].wellness = wellness;
    world.settle();
    world
}

#[test]
fn one_that_was_sick_before_and_fails_neither_halts_nor_proves_and_its_start_counts() {
    let mut world = canary(Wellness::Sick);
    let lacks = |world: &World| {
        lack(&world.channel.plan, &world.channel.plan.rings[0], 0, &world.tally(), &world.rollout)
    };
    assert!(world.start(0));
    assert_eq!(world.tally().census(&ring("canary")).started, 1, "it may still get well");
    world.finish(0, Outcome::Failed);
    world.pass_time(24 * 3600);
    world.settle();
    assert!(world.rollout.halts.is_empty());
    assert_eq!(world.tally().census(&ring("canary")).excluded, 1);
    assert_eq!(lacks(&world), Some(Lack::Nobody {}));
    assert_eq!(world.rollout.starts_in(&ring("canary")), 1);
    assert!(!world.start(1), "caps stay exact");
    for wellness in [Wellness::Well, Wellness::Unknown] {
        let mut world = canary(wellness);
        assert!(world.start(0));
        world.finish(0, Outcome::Failed);
        world.settle();
        assert!(!world.rollout.halts.is_empty(), "{wellness:?} is a victim");
    }
}

/// What mends a bad level meets data planes that it left sick.
#[test]
fn a_level_that_makes_the_sick_well_is_proven_by_them() {
    let mut world = World::at_once(&[("canary", 3)]);
    world.planes.iter_mut().for_each(|plane| plane.wellness = Wellness::Sick);
    world.settle();
    for _ in 0..2 {
        for n in 0..3 {
            if world.start(n) {
                world.finish(n, Outcome::Healthy);
            }
        }
        world.settle();
        world.pass_time(3600);
        world.settle();
    }
    assert_eq!(world.rollout.healthy_in(&ring("canary")), 3);
    assert_eq!(world.rollout.rings[&ring("canary")].wave, 2);
}

#[test]
fn one_that_was_sick_before_and_falls_silent_fails_nothing() {
    let mut world = canary(Wellness::Sick);
    assert!(world.start(0));
    world.silence(7 * 24 * 3600);
    world.settle();
    assert!(world.rollout.halts.is_empty());
    assert_eq!(world.tally().census(&ring("canary")).silent, 0, "not {:?}", PdpState::Silent);
}

#[test]
fn a_start_that_nobody_granted_is_adopted_with_what_was_known_before() {
    let mut world = canary(Wellness::Sick);
    world.planes[0].does = Does::Applies(1);
    world.report(0);
    assert!(world.rollout.starts[&world.planes[0].pdp].sick);
}

#[test]
fn what_the_level_itself_left_sick_is_its_victim_at_every_attempt() {
    for first in [false, true] {
        let (pdp, ring, until) = (pdp("acme/prod"), ring("canary"), now());
        let granted = |attempt, sick| RolloutEvent::Granted {
            pdp: pdp.clone(),
            ring: ring.clone(),
            attempt,
            until,
            sick,
        };
        let mut rollout = Rollout::default();
        rollout.apply(now(), &granted(1, first));
        rollout.apply(now(), &RolloutEvent::Ended { pdp: pdp.clone(), attempt: 1, outcome: Outcome::Failed });
        rollout.apply(now(), &granted(2, !first));
        assert_eq!((rollout.starts[&pdp].attempt, rollout.starts[&pdp].sick), (2, first));
    }
}

#[test]
fn sick_is_only_who_was_healthy_on_what_is_installed_and_says_so_no_more() {
    use Wellness::{Sick, Unknown, Well};
    let level = |n: u32| Some(LevelDigest { level: Level(n), sha256: Digest::of(&n.to_le_bytes()) });
    let table = [
        (Unknown, None, level(41), false, Unknown, "the first word, and nobody measures"),
        (Unknown, level(41), level(41), false, Unknown, "nobody measures"),
        (Unknown, level(41), level(41), true, Well, "measured now"),
        (Well, level(41), level(41), false, Sick, "it was healthy there"),
        (Sick, level(41), level(41), false, Sick, "it still is"),
        (Sick, level(41), level(41), true, Well, "it got well"),
        (Well, level(41), level(42), false, Unknown, "of what is new here nobody has said anything"),
        (Sick, level(41), level(42), false, Unknown, "sick of another level"),
        (Well, level(41), None, false, Unknown, "nothing is installed"),
    ];
    for (was, before, current, healthy, is, why) in table {
        assert_eq!(was.after(before, &report(current, healthy)), is, "{why}");
    }
}

#[test]
fn events_of_before_say_nothing_of_sickness_and_who_is_well_is_written_as_ever() {
    let event =
        RolloutEvent::Adopted { pdp: pdp("acme/prod"), ring: ring("canary"), attempt: 1, sick: false };
    let text = serde_json::to_string(&event).unwrap();
    assert!(!text.contains("sick"), "{text}");
    assert_eq!(serde_json::from_str::<RolloutEvent>(&text).unwrap(), event);
}

fn report(current: Option<LevelDigest>, healthy: bool) -> Report {
    let pdp = pdp("acme/prod");
    Report {
        api_version: API_VERSION.to_owned(),
        critical: Vec::new(),
        issued: now(),
        expires: now(),
        organization: pdp.organization,
        data_plane: pdp.data_plane,
        cluster_id: None,
        current,
        healthy_since: healthy.then(now),
        target: None,
        catalog: CatalogVersions::default(),
        pdp_sync: String::new(),
    }
}
