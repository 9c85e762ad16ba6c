//! The simulation: bad levels stop early, silent ones too, and nothing starts after a halt.

use pdp_policies::rollout::simulate::{Fleet, REACTION, Simulation, Trial, simulate};
use pdp_policies::rollout::{Cause, HaltScope};
use pdp_policies::{RingPlan, Span, Tempo, yaml};

const FLEET: &str = include_str!("../../../../fixtures/rollouts/fleet.yaml");

fn run(breaks: u8, from: u32, cut_off: u8) -> Simulation {
    let plan = RingPlan::shipped().unwrap();
    let fleet: Fleet = yaml::read(FLEET).unwrap();
    assert_eq!(fleet.problems(&plan), Vec::<String>::new());
    let share = |percent: u8| format!("{percent}%").parse().unwrap();
    let (breaks, cut_off, from) = (share(breaks), share(cut_off), Span::from_seconds(from));
    let trial = Trial { seed: 1, breaks, from, cut_off, reaction: REACTION, ..Trial::default() };
    simulate(&plan, Tempo::Emergency, &fleet, &trial).unwrap()
}

#[test]
fn a_level_that_breaks_everything_stops_with_the_first_canary() {
    let broken = run(100, 0, 0);
    let stop = broken.gated.stop.unwrap();
    assert_eq!((stop.started, broken.gated.started, broken.gated.broken), (1, 1, 1));
    assert!(stop.after <= Span::from_seconds(25 * 60), "as soon as it reports: {}", stop.after);
    assert_eq!(broken.timed.started, broken.reporting, "by the clock everybody gets it");

    // The same without a word: its silence counts, once it is due.
    let silent = run(100, 0, 100).gated;
    assert_eq!((silent.stop.unwrap().started, silent.started), (1, 1));
    // It was heard until its upgrade had ended, 8 to 25 minutes after the start.
    let after = silent.stop.unwrap().after.seconds() / 60 - 15;
    assert!((7..=26).contains(&after), "silenceAfter runs from the last word: {after}");
}

#[test]
fn what_breaks_late_stops_where_it_is_and_starts_nothing_more_there() {
    let late = run(50, 6 * 3600, 0).gated;
    let halt = late.halts.iter().find(|halt| matches!(halt.scope, HaltScope::Ring { .. })).unwrap();
    assert!(matches!(halt.cause, Cause::FailureBudget { .. }), "{:?}", halt.cause);
    assert!(halt.after >= Span::from_seconds(6 * 3600));
    assert_eq!(late.started, late.stop.unwrap().started, "a halt is the last start");
    assert!(late.length.is_none() && late.rings[3].opened.is_none());
}

#[test]
fn a_good_level_passes_every_ring_in_order_at_its_earliest() {
    let good = run(0, 0, 0).gated;
    assert!(good.halts.is_empty());
    let opened: Vec<Span> = good.rings.iter().map(|ring| ring.opened.unwrap()).collect();
    let passed: Vec<Span> = good.rings.iter().map(|ring| ring.passed.unwrap()).collect();
    let plan = RingPlan::shipped().unwrap();
    for (n, rules) in plan.rings.iter().enumerate() {
        let pace = plan.pace(Tempo::Emergency, &rules.name).unwrap();
        assert!(opened[n] >= pace.opens_after, "{}", rules.name);
        assert!(n == 0 || opened[n] >= passed[n - 1], "{}", rules.name);
        assert_eq!(good.rings[n].waves.len(), rules.waves.len());
    }
    assert_eq!(good.length, passed.last().copied());
    let rising = good.curve.windows(2).all(|pair| pair[0].sums()[0] <= pair[1].sums()[0]);
    assert!(rising && good.curve.len() <= 201);
}
