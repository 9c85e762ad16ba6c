//! Halts by themselves: on failures, on silence; final until two people resume; forgiven failures stay forgiven.

use pdp_policies::rollout::{Cause, Command, CommandRefusal, HaltScope, Outcome, RolloutEvent};
use pdp_policies::{Cap, ObstacleCode, Percent, RingPlan, Tempo};

use super::world::{Does, World, pdp, ring};

pub(super) fn of_ring(name: &str) -> HaltScope {
    HaltScope::Ring { ring: ring(name) }
}

fn of_organization(name: &str) -> HaltScope {
    HaltScope::Organization { organization: name.parse().unwrap() }
}

/// One ring, open to everybody at once, that halts by its budgets alone.
pub(super) fn wide(budget: u8, organization_failures: u32, size: u32) -> World {
    let mut plan = RingPlan { chance: None, ..RingPlan::shipped().unwrap() };
    plan.rings[0].waves = vec![Cap::Percent(Percent::ALL)];
    (plan.rings[0].in_flight, plan.rings[0].slow_start) = (None, false);
    plan.rings[0].failure_budget = budget.try_into().unwrap();
    plan.rings[0].organization_failures = organization_failures;
    let mut world = World::with(plan, Tempo::Emergency, &[("canary", size)]);
    world.settle();
    world
}

#[test]
fn budgets_are_compared_exactly_and_one_failure_against_the_full_wave() {
    // Budget, members, started, failures: halted?
    let table = [
        (0, 1, 1, 1, true),
        (0, 1000, 1000, 1, true),
        (0, 1000, 1000, 0, false),
        // One failure: of the full wave, however few started so far.
        (3, 34, 1, 1, false),
        (3, 33, 1, 1, true),
        (3, 33, 33, 1, true),
        // From two on: of those who started.
        (3, 1000, 10, 2, true),
        (3, 1000, 66, 2, true),
        (3, 1000, 67, 2, false),
        (3, 1000, 100, 3, false),
        (3, 1000, 99, 3, true),
        (5, 20, 20, 1, false),
        (5, 19, 19, 1, true),
        (50, 3, 3, 2, true),
        (67, 3, 3, 2, false),
    ];
    for (budget, members, started, failures, halted) in table {
        let mut world = wide(budget, u32::MAX, members);
        for n in 0..started {
            assert!(world.start(n), "{n}");
        }
        for n in 0..failures {
            world.finish(n, Outcome::Failed);
        }
        world.settle();
        let case = format!("{failures} of {started} started of {members}, budget {budget} %");
        assert_eq!(world.rollout.halts.contains_key(&of_ring("canary")), halted, "{case}");
    }
}

#[test]
fn deferred_and_waiting_ones_do_not_stretch_the_budget() {
    let mut world = wide(3, u32::MAX, 100);
    for plane in &mut world.planes[20..] {
        plane.does = Does::Defers;
    }
    world.pass_time(1);
    assert!(world.start(0));
    world.finish(0, Outcome::Failed);
    world.settle();
    assert!(world.rollout.is_halted(&ring("canary")), "20 that can start bear no failure at 3 %");
}

#[test]
fn a_halt_names_its_evidence_and_stops_starts_and_later_rings() {
    let mut world = World::new(&[("canary", 3), ("early", 5)]);
    world.settle();
    assert!(world.start(0));
    world.finish(0, Outcome::Failed);
    world.settle();
    let cause =
        Cause::FailureBudget { failures: 1, eligible: 1, budget: 5.try_into().unwrap(), chance: None };
    let halted = RolloutEvent::Halted { scope: of_ring("canary"), cause };
    assert_eq!(world.events.last().unwrap().1, halted);
    assert_eq!(world.ready(1, 1), Err(ObstacleCode::Halted));
    let count = world.events.len();
    for _ in 0..100 {
        world.pass_time(3600);
        world.settle();
    }
    assert_eq!(world.events.len(), count, "halted once, and nothing moves");
    assert_eq!(world.rollout.rings.len(), 1);
}

#[test]
fn silence_after_the_deadline_halts_but_not_for_the_time_in_which_nobody_listened() {
    let mut world = World::new(&[("canary", 2)]);
    world.settle();
    assert!(world.start(0));
    world.silence(899);
    world.settle();
    assert!(!world.rollout.is_halted(&ring("canary")));
    let mut restarted = world.clone();
    world.silence(1);
    world.settle();
    assert!(world.rollout.is_halted(&ring("canary")));

    // The server was away for an hour: the deadline runs from its return.
    restarted.silence(3600);
    restarted.listening = restarted.now;
    restarted.settle();
    assert!(!restarted.rollout.is_halted(&ring("canary")));
    restarted.silence(900);
    restarted.settle();
    assert!(restarted.rollout.is_halted(&ring("canary")));
}

#[test]
fn healthy_and_then_failed_is_failed_for_good_on_that_attempt() {
    let mut world = wide(0, 9, 5);
    assert!(world.start(0));
    world.finish(0, Outcome::Healthy);
    world.planes[0].does = Does::Ended(1, Outcome::Failed);
    world.silence(1);
    world.report(0);
    world.settle();
    assert!(world.rollout.is_halted(&ring("canary")));
    let count = world.events.len();
    world.planes[0].does = Does::Ended(1, Outcome::Healthy);
    world.silence(1);
    world.report(0);
    assert_eq!(world.rollout.starts[&pdp("canary-0")].outcome, Some(Outcome::Failed));
    assert_eq!(world.events.len(), count, "and it isn't written down again and again");
}

#[test]
fn one_person_resumes_nothing_and_known_failures_are_forgiven() {
    let mut world = wide(3, 9, 200);
    for n in 0..100 {
        assert!(world.start(n));
    }
    for n in 0..4 {
        world.finish(n, Outcome::Failed);
    }
    // Another one is silent by now.
    world.silence(900);
    for n in 5..100 {
        world.report(n);
    }
    world.settle();
    let scope = of_ring("canary");
    let resume = Command::Resume { scope: scope.clone() };
    assert_eq!(world.order("ada", resume.clone()), Ok(true));
    assert_eq!(world.order("ada", resume.clone()), Err(CommandRefusal::SecondPersonNeeded));
    assert!(world.rollout.is_halted(&ring("canary")));
    // A log that says otherwise isn't believed.
    world.push(RolloutEvent::Resumed { scope: scope.clone(), by: "ada".into(), reason: "x".into() });
    assert!(world.rollout.is_halted(&ring("canary")));
    assert_eq!(world.order("bob", resume.clone()), Ok(true));
    assert_eq!(world.order("cyd", resume), Ok(false), "it is so already");
    world.settle();
    assert!(!world.rollout.is_halted(&ring("canary")), "what was known is forgiven");
    assert!(world.start(100));

    // A forgiven one that recovers makes no room for a new failure: they count by data plane.
    world.report(4);
    for n in 10..13 {
        world.finish(n, Outcome::Failed);
    }
    world.settle();
    assert!(!world.rollout.is_halted(&ring("canary")), "3 of 101 is within 3 %");
    world.finish(13, Outcome::Failed);
    world.settle();
    assert!(world.rollout.is_halted(&ring("canary")), "one beyond the budget");
}

#[test]
fn one_organization_is_halted_by_itself_and_two_halt_the_ring() {
    let mut world = wide(90, 1, 12);
    let names = ["acme", "bank", "corp"];
    for (n, plane) in world.planes.iter_mut().enumerate() {
        plane.pdp = pdp(&format!("{}/p{n}", names[n / 4]));
    }
    for n in [0, 1, 4, 5, 8] {
        assert!(world.start(n));
    }
    world.finish(0, Outcome::Failed);
    world.settle();
    assert!(world.rollout.halts.is_empty(), "one may be sick by itself");
    world.finish(1, Outcome::Failed);
    world.settle();
    assert_eq!(world.rollout.halts.keys().collect::<Vec<_>>(), [&of_organization("acme")]);
    assert_eq!(world.ready(2, 1), Err(ObstacleCode::Halted));
    assert!(world.start(6), "others go on");
    world.finish(4, Outcome::Failed);
    world.finish(5, Outcome::Failed);
    world.settle();
    assert!(world.rollout.halts.contains_key(&of_organization("bank")));
    let halt = &world.rollout.halts[&of_ring("canary")];
    assert_eq!(halt.cause, Cause::Organizations { halted: 2 });
    assert_eq!(world.ready(9, 1), Err(ObstacleCode::Halted));

    // The ring resumes; the organizations stay halted until they are resumed, and don't halt it again.
    world.resume(&of_ring("canary"));
    world.settle();
    assert!(world.start(9));
    assert_eq!(world.ready(2, 1), Err(ObstacleCode::Halted));
    world.resume(&of_organization("acme"));
    world.settle();
    assert!(world.start(2));
    world.finish(2, Outcome::Failed);
    world.settle();
    assert!(!world.rollout.halts.contains_key(&of_organization("acme")), "one new failure is borne");
    assert!(world.start(3));
    world.finish(3, Outcome::Failed);
    world.settle();
    assert!(world.rollout.halts.contains_key(&of_organization("acme")));
}

#[test]
fn a_resume_of_the_organization_or_of_the_ring_forgives_the_organization_what_had_failed() {
    for scope in [of_organization("acme"), of_ring("canary"), HaltScope::Rollout {}] {
        let mut world = wide(90, 1, 8);
        world.planes.iter_mut().enumerate().for_each(|(n, plane)| plane.pdp = pdp(&format!("acme/p{n}")));
        assert!((0..8).all(|n| world.start(n)));
        world.finish(0, Outcome::Failed);
        if scope == of_organization("acme") {
            world.finish(1, Outcome::Failed);
            world.settle();
        } else {
            world.order("ada", Command::Halt { scope: scope.clone() }).unwrap();
        }
        assert!(world.rollout.halts.contains_key(&scope), "{scope:?}");
        world.resume(&scope);
        world.finish(2, Outcome::Failed);
        world.settle();
        assert!(world.rollout.halts.is_empty(), "{scope:?}: one new failure is borne");
        world.finish(3, Outcome::Failed);
        world.settle();
        assert!(world.rollout.halts.contains_key(&of_organization("acme")), "{scope:?}: two aren't");
    }
}

#[test]
fn a_ring_that_is_halted_late_holds_later_rings_at_their_wave() {
    let mut world = World::at_once(&[("canary", 3), ("early", 20)]);
    for _ in 0..40 {
        world.settle();
        for n in 0..3 {
            if world.planes[n].does == Does::Nothing && n < 2 && world.start(n) {
                world.finish(n, Outcome::Healthy);
            }
        }
        if world.rollout.rings.contains_key(&ring("early")) {
            break;
        }
        world.pass_time(300);
    }
    assert!(world.start(3) && world.start(4), "early's first wave");
    world.finish(3, Outcome::Healthy);
    world.finish(4, Outcome::Healthy);
    // The last canary comes late, and fails.
    assert!(world.start(2));
    world.finish(2, Outcome::Failed);
    for _ in 0..10 {
        world.pass_time(3600);
        world.settle();
    }
    assert!(world.rollout.is_halted(&ring("canary")) && !world.rollout.is_halted(&ring("early")));
    assert_eq!(world.rollout.rings[&ring("early")].wave, 0, "no wave passes behind a halted ring");
    world.resume(&of_ring("canary"));
    world.settle();
    assert_eq!(world.rollout.rings[&ring("early")].wave, 1);
}

#[test]
fn a_pause_stops_starts_waves_and_rings_and_one_person_ends_it() {
    let mut world = World::new(&[("canary", 2)]);
    world.settle();
    assert!(world.start(0));
    world.finish(0, Outcome::Healthy);
    assert_eq!(world.order("ada", Command::Pause {}), Ok(true));
    assert_eq!(world.order("bob", Command::Pause {}), Ok(false));
    world.pass_time(3600);
    world.settle();
    assert_eq!(world.ready(1, 1), Err(ObstacleCode::NoGrant));
    assert_eq!(world.rollout.rings[&ring("canary")].wave, 0);
    assert!(world.rollout.rings[&ring("canary")].share_reached.is_some(), "what was proven is noted");
    assert_eq!(world.order("ada", Command::Continue {}), Ok(true));
    world.pass_time(900);
    world.settle();
    assert_eq!(world.rollout.rings[&ring("canary")].wave, 1);
    assert!(world.start(1));
    // Failures halt in a pause too; the pause ends by itself, the halt doesn't.
    world.order("ada", Command::Pause {}).unwrap();
    world.finish(1, Outcome::Failed);
    world.settle();
    assert!(world.rollout.is_halted(&ring("canary")));
    assert_eq!(world.order("ada", Command::Continue {}), Ok(true));
    assert!(world.rollout.is_halted(&ring("canary")));
}

#[test]
fn a_pause_holds_what_is_due_and_who_has_a_place() {
    let mut world = World::new(&[("canary", 2), ("early", 1)]);
    world.channel.plan.rings[0].waves[0] = Cap::Count(2);
    assert_eq!(world.order("ada", Command::Pause {}), Ok(true));
    world.settle();
    assert!(world.rollout.rings.is_empty(), "no ring opens");
    world.order("ada", Command::Continue {}).unwrap();
    world.settle();
    world.order("ada", Command::Pause {}).unwrap();
    assert_eq!(world.ready(0, 1), Err(ObstacleCode::NoGrant), "two places are free");
    world.order("ada", Command::Continue {}).unwrap();
    for n in 0..2 {
        assert!(world.start(n));
        world.finish(n, Outcome::Healthy);
    }
    world.settle();
    world.order("ada", Command::Pause {}).unwrap();
    world.pass_time(3600);
    world.settle();
    assert_eq!(world.rollout.rings[&ring("canary")].wave, 0, "its soak is over");
    world.order("ada", Command::Continue {}).unwrap();
    world.settle();
    assert_eq!(world.rollout.rings[&ring("canary")].wave, 1);
}

#[test]
fn a_halt_by_hand_covers_what_it_says_and_halting_twice_is_no_news() {
    for (scope, others) in [
        (of_ring("canary"), Err(ObstacleCode::Halted)),
        (HaltScope::Rollout {}, Err(ObstacleCode::Halted)),
        (of_organization("canary-0"), Ok(())),
    ] {
        let mut world = wide(0, 0, 2);
        let halt = Command::Halt { scope: scope.clone() };
        assert_eq!(world.order("ada", halt.clone()), Ok(true), "{scope:?}");
        let before = world.rollout.halts.clone();
        assert_eq!(world.order("bob", halt), Ok(false), "{scope:?}");
        assert_eq!(world.rollout.halts, before);
        assert_eq!(world.ready(0, 1), Err(ObstacleCode::Halted), "{scope:?}");
        assert_eq!(world.ready(1, 1).map(|_| ()), others, "{scope:?}");
        world.resume(&scope);
        assert!(world.start(0), "{scope:?}");
    }
}

#[test]
fn failed_ones_start_again_only_after_a_retry_and_only_while_nothing_is_halted() {
    let mut world = wide(0, 9, 3);
    assert_eq!(world.order("ada", Command::Retry {}), Err(CommandRefusal::NothingFailed));
    assert!(world.start(0));
    world.finish(0, Outcome::Failed);
    world.settle();
    assert_eq!(world.order("ada", Command::Retry {}), Err(CommandRefusal::Halted));
    world.resume(&of_ring("canary"));
    assert_eq!(world.ready(0, 2), Err(ObstacleCode::Quarantined), "nobody allowed a second attempt");
    assert_eq!(world.order("ada", Command::Retry {}), Ok(true));
    assert_eq!(world.order("bob", Command::Retry {}), Ok(false), "it may start again already");
    assert_eq!(world.ready(0, 1), Err(ObstacleCode::Quarantined));
    let grant = world.ready(0, 2).unwrap();
    assert_eq!(world.rollout.starts_in(&ring("canary")), 1, "it counts once");
    world.begin(0, grant);
    world.silence(1);
    world.report(0);
    world.finish(0, Outcome::Healthy);
    assert_eq!(world.tally().census(&ring("canary")).healthy, 1);
    let grant = world.ready(1, 1).unwrap();
    assert!(matches!(grant, pdp_policies::rollout::Grant::New { attempt: 2, .. }), "{grant:?}");
}

#[test]
fn a_skipped_one_neither_counts_nor_starts() {
    let mut world = wide(0, 9, 3);
    assert!(world.start(0));
    world.finish(0, Outcome::Failed);
    let skip = Command::Skip { pdp: pdp("canary-0") };
    assert_eq!(world.order("ada", skip.clone()), Ok(true));
    assert_eq!(world.order("ada", skip), Ok(false));
    world.settle();
    assert!(world.rollout.halts.is_empty());
    world.order("ada", Command::Skip { pdp: pdp("canary-1") }).unwrap();
    assert_eq!(world.ready(1, 1), Err(ObstacleCode::NoGrant));
    assert_eq!(world.tally().census(&ring("canary")).excluded, 2);
}
