//! The rollout engine: what must hold for any order, loss and duplication of what happens.

use std::collections::BTreeMap;

use pdp_policies::report::{ReportState, TargetState};
use pdp_policies::rollout::{
    Census, Grant, Outcome, PdpState, Rollout, RolloutEvent, Row, cap_of, census, fold, grant, state_of, step,
};
use pdp_policies::{At, Digest, Level, ObstacleCode, PdpId, Promotion, Ring, RingPlan, Span, Tempo};
use proptest::prelude::*;

use crate::vendor::{NOW, now};

const LEVEL: Level = Level(42);

fn ring(name: &str) -> Ring {
    name.parse().unwrap()
}

fn promotion(plan: &RingPlan, tempo: Tempo) -> Promotion {
    let opens_at =
        plan.tempos[&tempo].iter().map(|(ring, pace)| (ring.clone(), now().plus(pace.opens_after)));
    Promotion {
        sha256: Digest::of(b"42"),
        length: 2,
        promoted_at: now(),
        tempo,
        opens_at: opens_at.collect(),
        open_to: BTreeMap::new(),
        asks_override: Default::default(),
    }
}

/// A fleet on a bench: each PDP hears of the level, starts when it is granted, and ends as it is told.
struct Bench {
    plan: RingPlan,
    promotion: Promotion,
    events: Vec<(At, RolloutEvent)>,
    rollout: Rollout,
    planes: Vec<(PdpId, Ring, Option<At>)>,
    now: At,
}

impl Bench {
    fn new(sizes: &[(&str, u32)]) -> Self {
        let plan = RingPlan::shipped().unwrap();
        let promotion = promotion(&plan, Tempo::Emergency);
        let planes = sizes.iter().flat_map(|(name, size)| {
            (0..*size).map(move |n| {
                let pdp = PdpId {
                    organization: format!("{name}-{n}").parse().unwrap(),
                    data_plane: "prod".parse().unwrap(),
                };
                (pdp, ring(name), Some(now()))
            })
        });
        Self {
            planes: planes.collect(),
            plan,
            promotion,
            events: vec![],
            rollout: Rollout::default(),
            now: now(),
        }
    }

    fn push(&mut self, event: RolloutEvent) {
        self.rollout.apply(self.now, &event);
        self.events.push((self.now, event));
    }

    fn census(&self) -> BTreeMap<Ring, Census> {
        let rows = self.planes.iter().map(|(pdp, ring, heard)| Row {
            pdp,
            ring,
            heard: *heard,
            seen: None,
            current: Some(Level(41)),
            target: None,
        });
        census(&self.plan, self.promotion.tempo, &self.rollout, LEVEL, rows, self.now)
    }

    fn settle(&mut self) {
        for _ in 0..100 {
            let census = self.census();
            let due = step(&self.plan, &self.promotion, &self.rollout, &census, false, self.now);
            if due.is_empty() {
                return;
            }
            due.into_iter().for_each(|event| self.push(event));
        }
        panic!("it never settles");
    }

    fn ready(&mut self, n: usize) -> Result<Grant, ObstacleCode> {
        let (pdp, ring, _) = self.planes[n].clone();
        let members = self.planes.iter().filter(|(_, r, _)| *r == ring).count() as u32;
        let given =
            grant(&self.plan, &self.promotion, &self.rollout, members, &pdp, &ring, 1, None, self.now);
        if let Ok(Grant::New { until }) = given {
            self.push(RolloutEvent::Granted { pdp, ring, attempt: 1, until });
        }
        given
    }

    fn end(&mut self, n: usize, outcome: Outcome) {
        let pdp = self.planes[n].0.clone();
        if self.rollout.starts.contains_key(&pdp) {
            self.push(RolloutEvent::Ended { pdp, attempt: 1, outcome });
        }
    }

    fn pass_time(&mut self, seconds: u32) {
        self.now = self.now.plus(Span::from_seconds(seconds));
        for (_, _, heard) in &mut self.planes {
            *heard = Some(self.now);
        }
    }

    fn position(&self, name: &Ring) -> usize {
        self.plan.position(name).unwrap()
    }
}

#[test]
fn a_healthy_level_goes_through_all_rings_in_order_and_never_early() {
    let mut bench = Bench::new(&[("canary", 3), ("early", 5), ("general", 10), ("regulated", 4)]);
    let mut opened = Vec::new();
    for _ in 0..200 {
        bench.settle();
        for n in 0..bench.planes.len() {
            if bench.ready(n).is_ok() {
                bench.end(n, Outcome::Healthy);
            }
        }
        for ring in bench.rollout.rings.keys() {
            if !opened.contains(ring) {
                assert!(bench.promotion.opens_at[ring] <= bench.now, "{ring} opened early");
                opened.push(ring.clone());
            }
        }
        bench.pass_time(300);
    }
    let order: Vec<_> = opened.iter().map(Ring::as_str).collect();
    assert_eq!(order, ["canary", "early", "general", "regulated"]);
    assert_eq!(bench.rollout.starts.len(), 22);
    assert_eq!(fold(bench.events.iter().map(|(at, e)| (*at, e))), bench.rollout);
}

#[test]
fn a_failing_canary_opens_nothing_further() {
    let mut bench = Bench::new(&[("canary", 3), ("early", 5)]);
    bench.settle();
    assert!(bench.ready(0).is_ok());
    bench.end(0, Outcome::Failed);
    for _ in 0..100 {
        bench.pass_time(3600);
        bench.settle();
    }
    assert_eq!(bench.rollout.rings.len(), 1, "early stays closed");
    assert_eq!(bench.ready(1), Err(ObstacleCode::NoGrant), "the first wave counts one head");
}

#[test]
fn silence_counts_like_failure_and_deferred_ones_hold_nothing_up() {
    let mut bench = Bench::new(&[("canary", 2)]);
    bench.settle();
    bench.ready(0).unwrap();
    bench.now = bench.now.plus(Span::from_seconds(16 * 60));
    let census = bench.census()[&ring("canary")];
    assert_eq!((census.silent, census.not_reporting), (1, 1));
    bench.settle();
    assert_eq!(bench.rollout.rings[&ring("canary")].wave, 0);

    let target = TargetState {
        level: LEVEL,
        sha256: Digest::of(b"42"),
        attempt: 1,
        state: ReportState::Deferred,
        component: None,
        codes: vec![],
    };
    let (pdp, name) = (bench.planes[1].0.clone(), ring("canary"));
    let row = Row {
        pdp: &pdp,
        ring: &name,
        heard: Some(bench.now),
        seen: None,
        current: Some(Level(41)),
        target: Some(&target),
    };
    assert_eq!(state_of(&bench.rollout, LEVEL, &row, Span::from_seconds(900), bench.now), PdpState::Deferred);
}

#[test]
fn a_wave_without_anybody_waits_for_a_person() {
    let mut bench = Bench::new(&[("early", 3)]);
    for _ in 0..50 {
        bench.pass_time(3600);
        bench.settle();
    }
    assert_eq!(bench.rollout.rings.keys().map(Ring::as_str).collect::<Vec<_>>(), ["canary"]);
    for wave in 0..2 {
        bench.push(RolloutEvent::Acknowledged {
            ring: ring("canary"),
            wave,
            reason: "nobody is there".into(),
        });
    }
    bench.settle();
    assert!(bench.rollout.rings.contains_key(&ring("early")));
}

#[test]
fn a_brake_grants_and_opens_nothing() {
    let mut bench = Bench::new(&[("canary", 3)]);
    bench.push(RolloutEvent::Created {});
    let census = bench.census();
    assert!(step(&bench.plan, &bench.promotion, &bench.rollout, &census, true, bench.now).is_empty());
    bench.settle();
    let (pdp, name, _) = bench.planes[0].clone();
    let braked = Some(ObstacleCode::Stopped);
    let given = grant(&bench.plan, &bench.promotion, &bench.rollout, 3, &pdp, &name, 1, braked, bench.now);
    assert_eq!(given, Err(ObstacleCode::Stopped));
}

#[derive(Debug, Clone)]
enum Move {
    Ready(usize),
    End(usize, Outcome),
    Wait(u32),
    Repeat(usize),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let outcome =
        prop_oneof![4 => Just(Outcome::Healthy), 1 => Just(Outcome::Failed), 1 => Just(Outcome::Written)];
    let one = prop_oneof![
        (0usize..24).prop_map(Move::Ready),
        (0usize..24, outcome).prop_map(|(n, outcome)| Move::End(n, outcome)),
        (1u32..20_000).prop_map(Move::Wait),
        (0usize..1000).prop_map(Move::Repeat),
    ];
    prop::collection::vec(one, 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn caps_hold_rings_are_never_skipped_and_the_events_tell_all(moves in moves()) {
        let mut bench = Bench::new(&[("canary", 3), ("early", 6), ("general", 10), ("regulated", 5)]);
        for one in moves {
            bench.settle();
            match one {
                Move::Ready(n) => { let _ = bench.ready(n); }
                Move::End(n, outcome) => bench.end(n, outcome),
                Move::Wait(seconds) => bench.pass_time(seconds),
                // A replayed event must change no count.
                Move::Repeat(n) if !bench.events.is_empty() => {
                    let event = bench.events[n % bench.events.len()].1.clone();
                    if !matches!(event, RolloutEvent::Ended { .. }) {
                        bench.push(event);
                    }
                }
                Move::Repeat(_) => {}
            }
            for (name, starts) in &bench.rollout.started_in {
                let rules = &bench.plan.rings[bench.position(name)];
                let members = bench.planes.iter().filter(|(_, r, _)| r == name).count() as u32;
                let wave = bench.rollout.rings[name].wave;
                prop_assert!(*starts <= cap_of(rules, wave, members).min(members), "{name}: {starts}");
            }
            for name in bench.rollout.rings.keys() {
                prop_assert!(bench.promotion.opens_at[name] <= bench.now);
                for before in &bench.plan.rings[..bench.position(name)] {
                    prop_assert!(bench.rollout.passed(&before.name, before.waves.len()), "{name} came too early");
                }
            }
        }
        prop_assert_eq!(fold(bench.events.iter().map(|(at, e)| (*at, e))), bench.rollout);
        prop_assert!(bench.now.unix() >= NOW);
    }
}
