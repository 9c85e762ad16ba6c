//! What people are told of a ring: why data planes are deferred, where they failed, what is left, what is lacking.

use pdp_policies::report::{ReportCode, ReportState, TargetState};
use pdp_policies::rollout::{HaltScope, Lack, Outcome, Reasons, bears, lack};
use pdp_policies::{Cap, Level, ObstacleCode as O, Percent, RefusalCode, RingPlan, Tempo};

use super::world::{Does, LEVEL, World, ring};

fn deferred(codes: &[O]) -> TargetState {
    let codes = codes.iter().map(|code| ReportCode::Obstacle(*code)).collect();
    let sha256 = pdp_policies::Digest::of(LEVEL.to_string().as_bytes());
    TargetState { level: LEVEL, sha256, attempt: 1, state: ReportState::Deferred, component: None, codes }
}

/// The canary ring with one data plane for each of these reports.
fn told(reports: Vec<TargetState>) -> World {
    let mut world = World::new(&[("canary", u32::try_from(reports.len()).unwrap()), ("early", 2)]);
    world.settle();
    for (plane, target) in world.planes.iter_mut().zip(reports) {
        plane.last = Some((world.now, target));
    }
    world
}

fn of_canary(world: &World) -> Reasons {
    world.reasons().remove(&ring("canary")).unwrap_or_default()
}

#[test]
fn a_deferred_data_plane_counts_once_by_the_first_obstacle_of_the_customers_own() {
    let table = [
        (vec![O::OutsideWindow], Some(O::OutsideWindow)),
        (vec![O::Pinned, O::OutsideWindow], Some(O::Pinned)),
        (vec![O::OutsideWindow, O::Pinned], Some(O::OutsideWindow)),
        // Vendor's obstacles go away by themselves and defer nobody.
        (vec![O::RingNotOpenYet, O::Halted, O::AwaitingApproval], Some(O::AwaitingApproval)),
        (vec![O::NoGrant], None),
        (vec![], None),
    ];
    for (codes, reason) in &table {
        let world = told(vec![deferred(codes)]);
        let expected =
            Reasons { deferred: reason.iter().map(|code| (*code, 1)).collect(), ..Reasons::default() };
        assert_eq!(of_canary(&world), expected, "{codes:?}");
        assert_eq!(world.tally().census(&ring("canary")).deferred, 1, "{codes:?}");
    }
    let mut refused = deferred(&[O::TooYoung]);
    refused.codes.insert(0, ReportCode::Refusal(RefusalCode::Expired));
    let all = table.iter().map(|(codes, _)| deferred(codes)).chain([refused]).collect();
    let expected = [(O::OutsideWindow, 2), (O::Pinned, 1), (O::AwaitingApproval, 1), (O::TooYoung, 1)];
    let world = told(all);
    assert_eq!(of_canary(&world).deferred, expected.into());
    assert_eq!(world.tally().census(&ring("canary")).deferred, 7, "two gave no reason");
    assert_eq!(world.reasons().len(), 1, "nobody is deferred in the other ring");
}

#[test]
fn only_what_counts_as_deferred_or_failed_gives_a_reason() {
    let mut other_level = deferred(&[O::Pinned]);
    other_level.level = Level(41);
    let ready = TargetState { state: ReportState::Ready, ..deferred(&[O::Pinned]) };
    let mut world = told(vec![other_level, ready, deferred(&[O::Pinned]), deferred(&[O::Pinned])]);
    assert_eq!(of_canary(&world).deferred, [(O::Pinned, 2)].into());
    // Beyond the level already, and not heard for long.
    world.planes[2].current = Some(Level(43));
    world.planes[3].heard = Some(pdp_policies::At::from_unix(0));
    assert_eq!(of_canary(&world), Reasons::default());
}

#[test]
fn failures_are_counted_by_component_where_the_start_was() {
    let mut world = wide(50, 12);
    for n in 0..12 {
        assert!(world.start(n));
    }
    for (n, component) in [(0, "router"), (1, "router"), (2, "gateway"), (3, "")] {
        world.finish(n, Outcome::Failed);
        let (_, target) = world.planes[n].last.as_mut().unwrap();
        target.component = component.parse().ok();
    }
    world.planes[0].ring = ring("early");
    let failed = of_canary(&world).failed;
    assert_eq!(failed, [("router".parse().unwrap(), 2), ("gateway".parse().unwrap(), 1)].into());
    assert_eq!(world.tally().census(&ring("canary")).failed, 4, "one named no component");
    // What it waits for now is no cause of its failure, nor what it says of another level later.
    let before = world.planes[2].last.clone();
    world.planes[2].last.as_mut().unwrap().1.state = ReportState::Deferred;
    assert_eq!(of_canary(&world).failed, [("router".parse().unwrap(), 2)].into());
    world.planes[2].last = before;
    world.planes[1].last.as_mut().unwrap().1.level = Level(41);
    assert_eq!(of_canary(&world).failed[&"router".parse().unwrap()], 1);
}

#[test]
fn however_many_names_data_planes_invent_ten_are_told() {
    let mut world = wide(100, 30);
    for n in 0..30 {
        assert!(world.start(n));
        world.finish(n, Outcome::Failed);
        let name = if n < 3 { "zookeeper".to_owned() } else { format!("invented-{n}") };
        world.planes[n].last.as_mut().unwrap().1.component = name.parse().ok();
    }
    let failed = of_canary(&world).failed;
    assert_eq!(failed.len(), 10);
    assert_eq!(failed[&"zookeeper".parse().unwrap()], 3, "the most frequent one is among them");
}

/// One ring, open to everybody at once.
fn wide(budget: u8, size: u32) -> World {
    let mut plan = RingPlan::shipped().unwrap();
    plan.rings[0].waves = vec![Cap::Percent(Percent::ALL)];
    (plan.rings[0].in_flight, plan.rings[0].slow_start) = (None, false);
    plan.rings[0].failure_budget = budget.try_into().unwrap();
    plan.rings[0].organization_failures = u32::MAX;
    let mut world = World::with(plan, Tempo::Emergency, &[("canary", size)]);
    world.settle();
    world
}

#[test]
fn the_number_of_failures_that_a_ring_bears_is_where_it_halts() {
    let halted = HaltScope::Ring { ring: ring("canary") };
    for (budget, size, started) in [
        (0, 9, 9),
        (3, 33, 33),
        (3, 34, 1),
        (3, 100, 66),
        (3, 100, 100),
        (5, 41, 40),
        (67, 3, 3),
        (100, 4, 4),
    ] {
        let mut world = wide(budget, size);
        for n in 0..started {
            assert!(world.start(n));
        }
        for failures in 1..=started {
            let rules = &world.channel.plan.rings[0];
            let borne = bears(&world.channel.plan, rules, 0, &world.tally(), &world.rollout);
            world.finish(failures - 1, Outcome::Failed);
            world.settle();
            let case = format!("{failures} of {started} started of {size} at {budget} %: {borne} are borne");
            assert_eq!(world.rollout.halts.contains_key(&halted), failures > borne as usize, "{case}");
            if failures > borne as usize {
                break;
            }
        }
    }
}

#[test]
fn what_a_wave_lacks_is_said_until_it_is_proven() {
    let of = |world: &World| {
        lack(&world.channel.plan, &world.channel.plan.rings[0], 0, &world.tally(), &world.rollout)
    };
    let mut world = wide(0, 3);
    world.channel.plan.rings[0].healthy_share = 60.try_into().unwrap();
    assert_eq!(of(&world), Some(Lack::Sample { started: 0, needed: 2 }));
    assert!(world.start(0));
    world.finish(0, Outcome::Healthy);
    assert_eq!(of(&world), Some(Lack::Sample { started: 1, needed: 2 }));
    assert!(world.start(1));
    assert_eq!(of(&world), Some(Lack::Healthy { healthy: 1, needed: 2 }), "60 % of 2, rounded up");
    world.finish(1, Outcome::Healthy);
    assert_eq!(of(&world), None);
    assert!(world.start(2));
    world.finish(2, Outcome::Failed);
    assert_eq!(of(&world), Some(Lack::Budget {}), "2 of 3 are healthy enough, but no failure is borne");

    let mut banks = wide(0, 2);
    banks.planes.iter_mut().for_each(|plane| plane.does = Does::Defers);
    banks.pass_time(1);
    assert_eq!(of(&banks), Some(Lack::Nobody {}));
    banks.planes[1].does = Does::Nothing;
    banks.report(1);
    assert_eq!(
        of(&banks),
        Some(Lack::Sample { started: 0, needed: 1 }),
        "one that may start is all there are"
    );
}
