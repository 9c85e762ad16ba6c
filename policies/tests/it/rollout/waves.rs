//! Rings in order, waves by proof.

use pdp_policies::rollout::{
    Cause, Census, Command, CommandRefusal, HaltScope, Outcome, PdpState, Rollout, RolloutEvent, Row, fold,
    state_of,
};
use pdp_policies::{At, Level, ObstacleCode, Ring, Span};

use super::world::{Does, LEVEL, World, ring};

#[test]
fn a_healthy_level_goes_through_all_rings_in_order_and_never_early() {
    let mut world = World::new(&[("canary", 3), ("early", 5), ("general", 10), ("regulated", 4)]);
    let mut opened = Vec::new();
    for _ in 0..300 {
        world.settle();
        for n in 0..world.planes.len() {
            if world.planes[n].does == Does::Nothing && world.start(n) {
                world.finish(n, Outcome::Healthy);
            }
        }
        for ring in world.rollout.rings.keys().cloned().collect::<Vec<_>>() {
            if !opened.contains(&ring) {
                assert!(world.promotion().opens_at[&ring] <= world.now, "{ring} opened early");
                opened.push(ring);
            }
        }
        world.pass_time(300);
    }
    let order: Vec<_> = opened.iter().map(Ring::as_str).collect();
    assert_eq!(order, ["canary", "early", "general", "regulated"]);
    assert_eq!(world.rollout.starts.len(), 22);
    assert!(world.rollout.is_through(&world.channel.plan));
    assert_eq!(fold(world.events.iter().map(|(at, e)| (*at, e))), world.rollout);
}

#[test]
fn a_bank_with_a_monthly_window_in_each_ring_neither_stalls_nor_passes_it() {
    let sizes = [("canary", 3), ("early", 4), ("general", 6), ("regulated", 4)];
    let mut world = World::new(&sizes);
    let banks: Vec<usize> = sizes
        .iter()
        .map(|(name, _)| world.planes.iter().position(|plane| plane.ring == ring(name)).unwrap())
        .collect();
    banks.iter().for_each(|n| world.planes[*n].does = Does::Defers);
    world.pass_time(0);
    for _ in 0..300 {
        world.settle();
        for n in 0..world.planes.len() {
            if world.planes[n].does == Does::Nothing && world.start(n) {
                world.finish(n, Outcome::Healthy);
            }
        }
        world.pass_time(300);
    }
    assert_eq!(world.rollout.rings.len(), 4, "no bank holds up its ring");
    assert_eq!(world.tally().census(&ring("general")).deferred, 1);
    // Its window opens after all have passed: it may start then, and counts.
    let bank = banks[3];
    world.planes[bank].does = Does::Nothing;
    world.report(bank);
    assert!(world.rollout.rests(&world.channel.plan));
    assert!(world.start(bank));
    assert!(!world.rollout.rests(&world.channel.plan), "it runs again");
    world.finish(bank, Outcome::Failed);
    assert!(world.rollout.rests(&world.channel.plan) && !world.rollout.is_through(&world.channel.plan));
    world.settle();
    assert!(world.rollout.is_halted(&ring("regulated")), "a failure counts however late it comes");

    // Banks alone prove nothing: the ring waits.
    let mut alone = World::new(&[("canary", 2)]);
    alone.planes.iter_mut().for_each(|plane| plane.does = Does::Defers);
    for _ in 0..50 {
        alone.pass_time(3600);
        alone.settle();
    }
    assert_eq!((alone.rollout.rings.len(), alone.rollout.rings[&ring("canary")].wave), (1, 0));
    assert_eq!(alone.order("ada", Command::Acknowledge { ring: ring("canary"), wave: 0 }), Ok(true));
}

#[test]
fn a_wave_without_anybody_waits_for_a_person_and_only_the_current_one_can_be_acknowledged() {
    let mut world = World::new(&[("early", 3), ("canary", 1)]);
    world.planes[3].does = Does::Defers;
    for _ in 0..50 {
        world.pass_time(3600);
        world.settle();
    }
    assert_eq!(world.rollout.rings.keys().map(Ring::as_str).collect::<Vec<_>>(), ["canary"]);
    let ack = |wave| Command::Acknowledge { ring: ring("canary"), wave };
    assert_eq!(world.order("ada", ack(1)), Err(CommandRefusal::OtherWave));
    assert_eq!(world.order("ada", ack(0)), Ok(true));
    assert_eq!(world.order("ada", ack(1)), Ok(true));
    world.settle();
    assert!(world.rollout.rings.contains_key(&ring("early")));
    let early = Command::Acknowledge { ring: ring("early"), wave: 0 };
    assert_eq!(world.order("ada", early), Err(CommandRefusal::ProofPossible), "three are offered");
}

#[test]
fn the_soak_counts_from_the_first_share_and_joiners_do_not_restart_it() {
    let mut world = World::new(&[("canary", 2)]);
    world.settle();
    assert!(world.start(0));
    world.finish(0, Outcome::Healthy);
    world.settle();
    let reached = world.rollout.rings[&ring("canary")].share_reached;
    assert_eq!(reached, Some(world.now));
    // A joiner comes, and starts nothing yet.
    let mut joiner = world.planes[1].clone();
    joiner.pdp = super::world::pdp("canary-9");
    world.planes.push(joiner);
    world.pass_time(899);
    world.settle();
    assert_eq!(world.rollout.rings[&ring("canary")].share_reached, reached);
    assert_eq!(world.rollout.rings[&ring("canary")].wave, 0);
    world.pass_time(1);
    world.settle();
    assert_eq!(world.rollout.rings[&ring("canary")].wave, 1, "900 s after the share was reached");
}

#[test]
fn who_starts_while_a_wave_soaks_does_not_restart_it_though_the_share_falls_meanwhile() {
    let mut world = World::new(&[("canary", 3)]);
    let rules = &mut world.channel.plan.rings[0];
    (rules.waves[0], rules.min_sample) = (pdp_policies::Cap::Count(2), 1);
    world.settle();
    assert!(world.start(0));
    world.finish(0, Outcome::Healthy);
    world.settle();
    let reached = world.rollout.rings[&ring("canary")].share_reached;
    assert_eq!(reached, Some(world.now));
    world.pass_time(400);
    assert!(world.start(1));
    world.settle();
    world.pass_time(400);
    world.finish(1, Outcome::Healthy);
    world.settle();
    assert_eq!(world.rollout.rings[&ring("canary")].share_reached, reached, "1 of 2, then 2 of 2");
    world.pass_time(99);
    world.settle();
    assert_eq!(world.rollout.rings[&ring("canary")].wave, 0);
    world.pass_time(1);
    world.settle();
    assert_eq!(world.rollout.rings[&ring("canary")].wave, 1, "900 s after the share was first reached");
}

#[test]
fn an_expedited_soak_ends_now_but_beats_neither_share_nor_sample_nor_the_signed_time() {
    let mut world = World::new(&[("canary", 2), ("early", 3)]);
    world.settle();
    let expedite = |wave| Command::Expedite { ring: ring("canary"), wave };
    assert_eq!(world.order("ada", expedite(0)), Err(CommandRefusal::NotSoaking), "nobody is healthy");
    assert!(world.start(0));
    world.finish(0, Outcome::Healthy);
    world.settle();
    assert_eq!(world.order("ada", expedite(1)), Err(CommandRefusal::OtherWave));
    assert_eq!(world.order("ada", expedite(0)), Ok(true));
    assert_eq!(world.order("ada", expedite(0)), Ok(false), "it is so already");
    world.settle();
    assert_eq!(world.rollout.rings[&ring("canary")].wave, 1);
    assert_eq!(world.rollout.rings[&ring("canary")].share_reached, None, "the second sample is 2");
    assert!(world.start(1));
    world.finish(1, Outcome::Healthy);
    world.settle();
    assert_eq!(world.order("ada", expedite(1)), Ok(true));
    world.settle();
    assert_eq!(world.rollout.rings[&ring("canary")].wave, 2);
    assert_eq!(world.rollout.rings.len(), 1, "early opens half an hour after the promotion");
    world.pass_time(1800);
    world.settle();
    assert_eq!(world.rollout.rings.len(), 2);
}

#[test]
fn an_expedited_wave_that_turns_bad_does_not_pass() {
    let mut world = World::new(&[("canary", 3)]);
    world.channel.plan.chance = None;
    let rules = &mut world.channel.plan.rings[0];
    rules.waves[0] = pdp_policies::Cap::Count(2);
    (rules.failure_budget, rules.organization_failures) = (99.try_into().unwrap(), 9);
    world.settle();
    for n in 0..2 {
        assert!(world.start(n));
        world.finish(n, Outcome::Healthy);
    }
    world.settle();
    world.order("ada", Command::Expedite { ring: ring("canary"), wave: 0 }).unwrap();
    world.planes[0].does = Does::Ended(1, Outcome::Failed);
    world.report(0);
    world.settle();
    assert!(world.rollout.halts.is_empty());
    assert_eq!(world.rollout.rings[&ring("canary")].wave, 0, "1 of 2 healthy is no share of 95 %");
}

#[test]
fn a_failure_that_chance_explains_holds_up_no_wave() {
    for (chance, passes) in [(true, true), (false, false)] {
        let mut world = World::at_once(&[("canary", 30)]);
        let plan = &mut world.channel.plan;
        plan.chance = plan.chance.filter(|_| chance);
        let rules = &mut plan.rings[0];
        (rules.in_flight, rules.waves) = (None, vec![pdp_policies::Cap::Percent(pdp_policies::Percent::ALL)]);
        (rules.healthy_share, rules.failure_budget) = (100.try_into().unwrap(), 10.try_into().unwrap());
        world.settle();
        for n in 0..30 {
            assert!(world.start(n));
            world.finish(n, if n == 29 { Outcome::Failed } else { Outcome::Healthy });
        }
        for _ in 0..3 {
            world.pass_time(900);
            world.settle();
        }
        assert!(world.rollout.halts.is_empty());
        assert_eq!(world.rollout.rings[&ring("canary")].wave, usize::from(passes), "{chance}");
    }
}

#[test]
fn what_comes_twice_or_makes_no_sense_changes_nothing() {
    let of_ring = HaltScope::Ring { ring: ring("canary") };
    let cause = |by: &str| Cause::Person { by: by.into(), reason: "x".into() };
    let (canary, pdp) = (ring("canary"), super::world::pdp("acme"));
    let until = At::from_unix(crate::vendor::NOW + 3600);
    let granted = |attempt| RolloutEvent::Granted {
        pdp: pdp.clone(),
        ring: canary.clone(),
        attempt,
        until,
        sick: false,
    };
    let ended = |attempt, outcome| RolloutEvent::Ended { pdp: pdp.clone(), attempt, outcome };
    let mut events = vec![
        RolloutEvent::Created {},
        RolloutEvent::RingOpened { ring: canary.clone() },
        granted(1),
        ended(1, Outcome::Failed),
        RolloutEvent::Retried { attempt: 2, by: "ada".into(), reason: "x".into() },
        granted(2),
        RolloutEvent::ShareReached { ring: canary.clone(), wave: 0 },
        RolloutEvent::Halted { scope: of_ring.clone(), cause: cause("ada") },
        RolloutEvent::ResumeAsked { scope: of_ring.clone(), by: "ada".into(), reason: "x".into() },
    ];
    let state = |events: &[RolloutEvent]| {
        let at = |n: usize| At::from_unix(crate::vendor::NOW + n as i64);
        let rollout = fold(events.iter().enumerate().map(|(n, event)| (at(n), event)));
        Rollout { events: 0, ..rollout }
    };
    let before = state(&events);
    let foreign = super::world::pdp("nobody");
    events.extend(events.clone());
    events.extend([
        RolloutEvent::Resumed { scope: HaltScope::Rollout {}, by: "bob".into(), reason: "x".into() },
        RolloutEvent::ResumeAsked { scope: of_ring.clone(), by: "bob".into(), reason: "x".into() },
        RolloutEvent::Continued { by: "ada".into(), reason: "x".into() },
        RolloutEvent::Retried { attempt: 1, by: "ada".into(), reason: "x".into() },
        RolloutEvent::WavePassed { ring: canary.clone(), wave: 1 },
        RolloutEvent::Expedited { ring: ring("early"), wave: 0, by: "ada".into(), reason: "x".into() },
        RolloutEvent::Lapsed { pdp: pdp.clone(), attempt: 1 },
        RolloutEvent::Lapsed { pdp: foreign.clone(), attempt: 1 },
        RolloutEvent::Ended { pdp: foreign, attempt: 1, outcome: Outcome::Failed },
        ended(1, Outcome::Healthy),
        ended(3, Outcome::Failed),
    ]);
    assert_eq!(state(&events), before);
    assert_eq!(before.starts_in(&canary), 1);
    assert_eq!(before.halts[&of_ring].resume_asked.as_deref(), Some("ada"));

    let flapped =
        [granted(1), ended(1, Outcome::Failed), ended(1, Outcome::Healthy), ended(1, Outcome::Written)];
    assert_eq!(state(&flapped).starts[&pdp].outcome, Some(Outcome::Failed), "failed stays failed");
}

#[test]
fn a_moved_organization_counts_where_it_started() {
    let mut world = World::new(&[("canary", 3), ("early", 3)]);
    world.settle();
    assert!(world.start(0));
    world.planes[0].ring = ring("early");
    world.finish(0, Outcome::Failed);
    let counts = |name: &str| world.tally().census(&ring(name));
    assert_eq!((counts("canary").failed, counts("early").failed), (1, 0));
    assert_eq!((world.rollout.starts_in(&ring("canary")), world.rollout.starts_in(&ring("early"))), (1, 0));
    world.settle();
    assert!(world.rollout.is_halted(&ring("canary")), "the canaries can't move their failure away");
}

/// One row of the table of states.
fn state(does: Does, heard: Option<i64>, current: u32, seen: Option<i64>) -> PdpState {
    let mut world = World::new(&[("canary", 1)]);
    world.settle();
    world.planes[0].does = does;
    let target = world.says(0);
    if !matches!(does, Does::Nothing | Does::Defers) {
        world.take(0, world.now, target.clone()).unwrap();
    }
    let ago = |seconds: i64| At::from_unix(world.now.unix() - seconds);
    let plane = &world.planes[0];
    let row = Row {
        pdp: &plane.pdp,
        ring: &plane.ring,
        heard: heard.map(ago),
        seen: seen.map(ago),
        current: Some(Level(current)),
        target: Some(&target),
    };
    let later = pdp_policies::rollout::Clock {
        now: world.now.plus(Span::from_seconds(0)),
        listening: At::from_unix(0),
    };
    let mut rollout: Rollout = world.rollout.clone();
    if let Some(start) = rollout.starts.get_mut(&plane.pdp) {
        start.at = ago(2000);
    }
    state_of(&rollout, LEVEL, &row, Span::from_seconds(900), later)
}

#[test]
fn each_data_plane_is_in_exactly_one_state() {
    use Does::{Applies, Defers, Ended, Nothing};
    use Outcome::{Failed, Healthy, Written};
    let table = [
        (Nothing, Some(0), 41, None, PdpState::Offered),
        (Nothing, None, 41, Some(0), PdpState::NotReporting),
        (Nothing, Some(900), 41, None, PdpState::NotReporting),
        (Nothing, Some(900), 41, Some(5), PdpState::Offered),
        (Nothing, Some(0), 42, None, PdpState::Past),
        (Nothing, Some(0), 43, None, PdpState::Past),
        (Defers, Some(0), 41, None, PdpState::Deferred),
        (Applies(1), Some(899), 41, None, PdpState::Started),
        (Applies(1), Some(900), 41, Some(5), PdpState::Silent),
        (Applies(1), None, 41, None, PdpState::Excluded),
        (Applies(1), Some(0), 43, None, PdpState::Past),
        (Ended(1, Healthy), Some(5000), 42, None, PdpState::Healthy),
        (Ended(1, Healthy), Some(0), 43, None, PdpState::Healthy),
        (Ended(1, Failed), Some(0), 41, None, PdpState::Failed),
        (Ended(1, Failed), Some(0), 43, None, PdpState::Past),
        (Ended(1, Written), Some(0), 42, None, PdpState::Excluded),
    ];
    for (does, heard, current, seen, expected) in table {
        assert_eq!(state(does, heard, current, seen), expected, "{does:?} {heard:?} {current} {seen:?}");
    }
}

#[test]
fn a_brake_opens_and_grants_nothing() {
    let mut world = World::new(&[("canary", 3)]);
    world.settle();
    world.braked = Some(ObstacleCode::Stopped);
    assert_eq!(world.ready(0, 1), Err(ObstacleCode::Stopped));
    let mut braked = World::new(&[("canary", 3)]);
    braked.braked = Some(ObstacleCode::Stopped);
    braked.settle();
    assert_eq!((braked.events.len(), braked.rollout.rings.len()), (1, 0), "only the creation");
    assert_eq!(
        braked.tally().census(&ring("canary")),
        Census { members: 3, waiting: 3, ..Census::default() }
    );
}
