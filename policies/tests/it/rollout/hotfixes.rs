//! Hotfixes on the server's side: who is offered one, whose starts count, which rings wait.

use pdp_policies::rollout::{RolloutEvent, superseded};
use pdp_policies::{Level, ObstacleCode, Organization, audience_member};

use super::offers::Levels;
use super::world::{Does, LEVEL, World, ring};
use crate::hotfix::hotfix;

/// 42 is open in canary and early; 43 is a hotfix of 42 for `acme`, open in all three rings.
fn levels() -> Levels {
    let mut levels = Levels::new(&[
        (41, &["canary", "early", "general"]),
        (42, &["canary", "early"]),
        (43, &["canary", "early", "general"]),
    ]);
    hotfix(&mut levels.channel, 43, 42);
    levels
}

#[test]
fn it_is_offered_and_granted_to_its_audience_on_its_base() {
    let levels = levels();
    assert_eq!(levels.offered("early", "acme", Some(42)), Some(43));
    assert_eq!(levels.offered("early", "acme", Some(41)), Some(42), "the base first");
    assert_eq!(levels.offered("early", "bank", Some(42)), Some(42));
    assert_eq!(levels.granted(43, "early"), Ok(()), "acme asks");
    let mut others = levels;
    let promotion = others.channel.levels.get_mut(&Level(43)).unwrap();
    promotion.audience = [audience_member(&promotion.sha256, &"bank".parse().unwrap())].into();
    assert_eq!(others.granted(43, "early"), Err(ObstacleCode::RingNotOpenYet), "acme asks");
}

#[test]
fn it_opens_nothing_to_others_by_the_side_door() {
    let levels = levels();
    assert_eq!(levels.offered("general", "bank", Some(41)), Some(41));
    assert_eq!(levels.share(42, "general"), None, "42 hasn't come to general");
    assert_eq!(levels.offered("general", "acme", Some(41)), Some(42), "its audience gets there by its base");
    assert!(levels.share(43, "general").is_some(), "its audience without a server may know");
}

#[test]
fn whoever_has_it_is_offered_what_holds_it() {
    let mut levels = Levels::new(&[(42, &["canary"]), (43, &["canary"]), (44, &["canary"])]);
    hotfix(&mut levels.channel, 43, 42);
    assert_eq!(levels.offered("canary", "acme", Some(43)), Some(43), "44 would lose it");
    assert_eq!(levels.offered("canary", "bank", Some(42)), Some(44));
    levels.channel.levels.get_mut(&Level(44)).unwrap().supersedes.insert(Level(43));
    assert_eq!(levels.offered("canary", "acme", Some(43)), Some(44));
}

#[test]
fn it_takes_nobodys_place() {
    let mut levels = levels();
    levels.channel.levels.get_mut(&Level(43)).unwrap().supersedes.insert(Level(42));
    assert!(!superseded(&levels.channel, Level(42)));
}

/// A world where [`LEVEL`] is a hotfix for these data planes' organizations.
fn world(sizes: &[(&str, u32)], audience: &[&str]) -> World {
    let mut world = World::at_once(sizes);
    let promotion = world.channel.levels.get_mut(&LEVEL).unwrap();
    let member = |name: &&str| audience_member(&promotion.sha256, &name.parse::<Organization>().unwrap());
    promotion.audience = audience.iter().map(member).collect();
    world
}

#[test]
fn rings_without_its_audience_hold_it_up_no_longer_than_their_time() {
    let mut world = world(&[("canary", 3), ("early", 2), ("general", 40)], &["general-0", "general-1"]);
    world.settle();
    assert!(world.rollout.passed(&ring("canary"), 2), "{:?}", world.rollout.rings);
    assert!(!world.rollout.rings.contains_key(&ring("early")), "its time is signed");
    world.pass_time(2 * 3600);
    world.settle();
    let counts = world.tally().census(&ring("general"));
    assert_eq!((counts.members, counts.offered), (2, 2), "the others aren't counted");
    let first = world.planes.iter().position(|plane| plane.ring == ring("general")).unwrap();
    // 5 % of two is one; of all forty it would be two.
    assert_eq!(world.cap(&ring("general")), 1);
    assert!(world.start(first) && !world.start(first + 1), "its own waves");
    assert_eq!(world.ready(first + 2, 1), Err(ObstacleCode::RingNotOpenYet), "not for it");
    assert_eq!(world.planes[first + 2].does, Does::Nothing);
}

#[test]
fn nobody_passes_a_ring_for_a_hotfix_that_nobody_can_prove() {
    let mut world = world(&[("canary", 3), ("early", 2)], &["unknown"]);
    world.settle();
    world.pass_time(3 * 3600);
    world.settle();
    let passed = |(_, event): &(_, RolloutEvent)| matches!(event, RolloutEvent::WavePassed { .. });
    assert!(!world.events.iter().any(passed), "{:?}", world.events);
}

#[test]
fn a_canary_of_the_audience_goes_before_its_production() {
    let mut world = world(&[("canary", 3), ("early", 2)], &["canary-0", "early-0"]);
    world.settle();
    world.pass_time(3 * 3600);
    world.settle();
    assert!(!world.rollout.rings.contains_key(&ring("early")), "the audience's canary hasn't proved it");
    assert!(world.start(0));
    world.finish(0, pdp_policies::rollout::Outcome::Healthy);
    world.settle();
    for _ in 0..3 {
        world.pass_time(3600);
        world.settle();
    }
    assert!(world.rollout.rings.contains_key(&ring("early")), "{:?}", world.rollout.rings);
}
