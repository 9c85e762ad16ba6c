//! How many are in flight at once: the smaller of count and share, and one more than are healthy.

use pdp_policies::rollout::Outcome;
use pdp_policies::{Cap, Percent, RingPlan, Tempo, yaml};

use super::world::{Does, World, ring};

/// One ring whose only wave is everybody; what holds them is what is in flight.
fn open(size: u32) -> World {
    let mut plan = RingPlan::shipped().unwrap();
    plan.rings[0].waves = vec![Cap::Percent(Percent::ALL)];
    plan.rings[0].in_flight = Some(Cap::Count(20));
    let mut world = World::with(plan, Tempo::Emergency, &[("canary", size)]);
    world.settle();
    world
}

/// All who haven't started ask; those who may start.
fn ask_all(world: &mut World) -> Vec<usize> {
    (0..world.planes.len()).filter(|n| world.planes[*n].does == Does::Nothing && world.start(*n)).collect()
}

#[test]
fn at_most_one_more_is_in_flight_than_are_healthy_unless_people_sign_otherwise() {
    for (slow, expected) in [(true, &[1, 2, 4, 5][..]), (false, &[12])] {
        let mut world = open(12);
        world.channel.plan.rings[0].slow_start = slow;
        for started in expected {
            let flying = ask_all(&mut world);
            assert_eq!(flying.len(), *started, "slow start: {slow}");
            flying.iter().for_each(|n| world.finish(*n, Outcome::Healthy));
        }
        assert!(ask_all(&mut world).is_empty());
        assert_eq!(world.rollout.healthy_in(&ring("canary")), 12);
    }
}

#[test]
fn who_was_healthy_and_failed_since_lets_nobody_start() {
    let mut world = open(12);
    (world.channel.plan.rings[0].failure_budget, world.channel.plan.rings[0].organization_failures) =
        (99.try_into().unwrap(), 9);
    let first = ask_all(&mut world);
    world.finish(first[0], Outcome::Healthy);
    world.planes[first[0]].does = Does::Ended(1, Outcome::Failed);
    world.report(first[0]);
    assert_eq!(ask_all(&mut world).len(), 1);
}

#[test]
fn a_ring_of_nobody_who_reports_starts_twice_as_many_after_each_silence() {
    let mut world = open(12);
    for expected in [1, 2, 4, 5] {
        world.planes.iter_mut().for_each(|plane| plane.heard = None);
        let free: Vec<usize> =
            (0..12).filter(|n| !world.rollout.starts.contains_key(&world.planes[*n].pdp)).collect();
        assert_eq!(free.into_iter().filter(|n| world.ready(*n, 1).is_ok()).count(), expected);
        world.silence(900);
    }
}

#[test]
fn of_a_count_and_a_share_the_smaller_holds_and_never_less_than_one() {
    let mut rules = RingPlan::shipped().unwrap().rules(&ring("regulated")).unwrap().clone();
    let percent = |n: u8| n.try_into().unwrap();
    for (count, share, members, most) in [
        (Some(Cap::Count(20)), None, 12, 20),
        (Some(Cap::Count(20)), Some(percent(7)), 12, 1),
        (Some(Cap::Count(20)), Some(percent(7)), 100, 7),
        (Some(Cap::Count(20)), Some(percent(7)), 1000, 20),
        (Some(Cap::Percent(percent(10))), Some(percent(7)), 100, 7),
        (None, Some(percent(7)), 1000, 70),
        (None, Some(percent(7)), 0, 1),
    ] {
        (rules.in_flight, rules.in_flight_share) = (count, share);
        assert_eq!(rules.most_in_flight(members), most, "{count:?} {share:?} {members}");
    }
    (rules.in_flight, rules.in_flight_share) = (None, None);
    assert!(rules.most_in_flight(12) > 12);
}

#[test]
fn what_a_plan_does_not_say_is_not_written_and_what_it_says_is_read() {
    let old = serde_json::to_value(RingPlan::shipped().unwrap()).unwrap();
    assert!(old["rings"][0]["slowStart"].is_null(), "an old plan keeps its bytes");
    let text = pdp_policies::DEFAULT_PLAN.replacen(
        "inFlight: {count: 3}",
        "inFlight: {count: 3}\n    inFlightShare: 7\n    slowStart: false",
        1,
    );
    let rules = yaml::read::<RingPlan>(&text).unwrap().rings[0].clone();
    assert_eq!((rules.in_flight_share.map(Percent::get), rules.slow_start), (Some(7), false));
}
