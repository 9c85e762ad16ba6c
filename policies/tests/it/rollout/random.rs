//! A fleet in a bad network, moved by a random scheduler: what must hold at every instant.

use std::collections::BTreeMap;

use pdp_policies::report::TargetState;
use pdp_policies::rollout::{Command, Grant, HaltScope, Outcome, Rollout, RolloutEvent, cap_of, fold};
use pdp_policies::{At, Ring};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::world::{Does, World, ring};

/// On its way; any of them may come late, twice, or never.
#[derive(Debug, Clone)]
enum Mail {
    Ready(usize, u32),
    Report(usize, At, TargetState),
    Granted(usize, Grant),
}

struct Storm {
    world: World,
    mail: Vec<Mail>,
    /// Attempts that truly began, by data plane; where it was then.
    began: BTreeMap<(usize, u32), Ring>,
    before: Rollout,
}

/// What is below is the network alone; what is above are time, people and sick data planes.
const NETWORK: u8 = 49;
const PEOPLE: [&str; 3] = ["ada", "bob", "ada"];

impl Storm {
    fn new() -> Self {
        let world = World::new(&[("canary", 2), ("early", 3), ("general", 4), ("regulated", 2)]);
        let before = world.rollout.clone();
        Self { world, mail: Vec::new(), began: BTreeMap::new(), before }
    }

    /// One thing happens: `what` chooses, `which` is its subject.
    fn happen(&mut self, what: u8, which: u16) {
        let n = usize::from(which) % self.world.planes.len();
        match what % 64 {
            0..=11 => self.ask(n),
            12..=19 => {
                let (issued, said) = (self.world.now, self.world.says(n));
                self.mail.push(Mail::Report(n, issued, said));
            }
            20..=37 => self.deliver(usize::from(which), true),
            38..=40 => self.deliver(usize::from(which), false),
            41..=42 if !self.mail.is_empty() => {
                let lost = usize::from(which) % self.mail.len();
                self.mail.remove(lost);
            }
            43..=48 => self.world.end(n, outcome(which)),
            NETWORK..=56 => self.hear_all(u32::from(which) % 1500),
            57 => self.world.silence(u32::from(which) % 5000),
            58 => self.defer(n),
            59..=60 => self.people(usize::from(which), n),
            61 if which.is_multiple_of(5) => self.world.planes[n].ring = ring(["early", "general"][n % 2]),
            // The channel's own door: nobody grants it.
            62 if which.is_multiple_of(20) && self.world.planes[n].does == Does::Nothing => {
                self.world.planes[n].does = Does::Applies(1);
            }
            _ => self.world.silence(u32::from(which) % 60),
        }
        if what < 200 {
            self.world.settle();
        }
    }

    fn ask(&mut self, n: usize) {
        match self.world.planes[n].does {
            Does::Nothing => self.mail.push(Mail::Ready(n, 1)),
            Does::Ended(attempt, Outcome::Failed) => self.mail.push(Mail::Ready(n, attempt + 1)),
            _ => {}
        }
    }

    /// Time passes in which the network is good.
    fn hear_all(&mut self, seconds: u32) {
        self.world.silence(seconds);
        for n in 0..self.world.planes.len() {
            let said = self.world.says(n);
            let _ = self.world.take(n, self.world.now, said);
        }
    }

    fn defer(&mut self, n: usize) {
        let does = self.world.planes[n].does;
        self.world.planes[n].does = match does {
            Does::Nothing => Does::Defers,
            Does::Defers => Does::Nothing,
            other => other,
        };
    }

    fn deliver(&mut self, which: usize, once: bool) {
        if self.mail.is_empty() {
            return;
        }
        let which = which % self.mail.len();
        let mail = if once { self.mail.remove(which) } else { self.mail[which].clone() };
        match mail {
            Mail::Ready(n, attempt) => self.ready(n, attempt),
            Mail::Report(n, issued, said) => {
                let _ = self.world.take(n, issued, said);
            }
            Mail::Granted(n, grant) => self.begin(n, grant),
        }
    }

    fn ready(&mut self, n: usize, attempt: u32) {
        let plane = self.world.planes[n].clone();
        let known = self.world.rollout.starts.contains_key(&plane.pdp);
        let halted = self.world.rollout.is_halted_for(&plane.ring, Some(&plane.pdp.organization));
        let Ok(grant) = self.world.ready(n, attempt) else { return };
        assert!(!halted, "a grant after a halt");
        assert!(self.world.rollout.paused.is_none(), "a grant in a pause");
        assert!(self.world.promotion().opens_at[&plane.ring] <= self.world.now, "before the signed time");
        if !known {
            let rules = self.world.channel.plan.rules(&plane.ring).unwrap();
            let wave = self.world.rollout.rings[&plane.ring].wave;
            let cap = cap_of(rules, wave, self.world.members(&plane.ring));
            assert!(self.world.rollout.starts_in(&plane.ring) <= cap, "beyond the cap");
        }
        self.mail.push(Mail::Granted(n, grant));
    }

    /// A data plane begins what it hasn't begun, if the grant still holds by its clock.
    fn begin(&mut self, n: usize, grant: Grant) {
        let (Grant::New { attempt, until } | Grant::Again { attempt, until }) = grant;
        let may = match self.world.planes[n].does {
            Does::Nothing => true,
            Does::Ended(before, Outcome::Failed) => before < attempt,
            _ => false,
        };
        if may && until > self.world.now {
            self.world.begin(n, grant);
            let start = &self.world.rollout.starts[&self.world.planes[n].pdp];
            self.began.insert((n, attempt), start.ring.clone());
        }
    }

    fn people(&mut self, which: usize, n: usize) {
        let plane = &self.world.planes[n];
        let scopes = [
            HaltScope::Ring { ring: plane.ring.clone() },
            HaltScope::Rollout {},
            HaltScope::Organization { organization: plane.pdp.organization.clone() },
        ];
        let scope = scopes[which % 3].clone();
        let wave = self.world.rollout.rings.get(&plane.ring).map_or(0, |progress| progress.wave);
        let command = match which % 16 {
            0 => Command::Pause {},
            1 if which.is_multiple_of(5) => Command::Halt { scope },
            2..=4 => Command::Retry {},
            5 if which.is_multiple_of(3) => Command::Skip { pdp: plane.pdp.clone() },
            6..=7 => Command::Expedite { ring: plane.ring.clone(), wave },
            8..=9 => Command::Continue {},
            _ => match self.world.rollout.halts.keys().next() {
                Some(scope) => Command::Resume { scope: scope.clone() },
                None => Command::Continue {},
            },
        };
        let _ = self.world.order(PEOPLE[which % 3], command);
    }

    /// What must hold now, seen from the instant before.
    fn check(&mut self) {
        let (world, before) = (&self.world, &self.before);
        let plan = &world.channel.plan;
        for (n, rules) in plan.rings.iter().enumerate() {
            let Some(progress) = world.rollout.rings.get(&rules.name) else {
                assert!(!before.rings.contains_key(&rules.name), "opening was taken back");
                continue;
            };
            assert!(world.promotion().opens_at[&rules.name] <= world.now, "opened before the signed time");
            assert!(before.rings.get(&rules.name).is_none_or(|before| before.wave <= progress.wave));
            for earlier in &plan.rings[..n] {
                assert!(world.rollout.passed(&earlier.name, earlier.waves.len()), "a ring was skipped");
            }
        }
        let healthy = |ring: &Ring| {
            let of = |start: &&pdp_policies::rollout::Started| {
                start.ring == *ring && start.outcome == Some(Outcome::Healthy)
            };
            world.rollout.starts.values().filter(of).count()
        };
        for rules in &plan.rings {
            assert_eq!(world.rollout.healthy_in(&rules.name), healthy(&rules.name), "counted as they come");
        }
        let mut began = BTreeMap::<&Ring, std::collections::BTreeSet<usize>>::new();
        for ((n, _), ring) in &self.began {
            began.entry(ring).or_default().insert(*n);
        }
        for (ring, planes) in began {
            let counted = world.rollout.starts_in(ring);
            assert!(planes.len() as u32 <= counted, "{ring}: {} began, {counted} counted", planes.len());
        }
        let new = &world.events[usize::try_from(before.events).unwrap()..];
        for scope in before.halts.keys().filter(|scope| !world.rollout.halts.contains_key(*scope)) {
            let ends = |(_, event): &&(At, RolloutEvent)| matches!(event, RolloutEvent::Resumed { scope: ended, .. } if ended == scope);
            let resumed = new.iter().find(ends).expect("a halt ended without people");
            let RolloutEvent::Resumed { by, .. } = &resumed.1 else { unreachable!() };
            let asked = world.events.iter().rev().find_map(|(_, event)| match event {
                RolloutEvent::ResumeAsked { scope: asked, by, .. } if asked == scope => Some(by),
                _ => None,
            });
            assert_ne!(asked, Some(by), "one person ended a halt");
        }
        self.before = world.rollout.clone();
    }
}

fn outcome(which: u16) -> Outcome {
    match which % 16 {
        0 => Outcome::Failed,
        1 if which.is_multiple_of(3) => Outcome::Written,
        _ => Outcome::Healthy,
    }
}

fn words(most: usize) -> impl Strategy<Value = Vec<(u8, u16)>> {
    prop::collection::vec((any::<u8>(), any::<u16>()), 1..most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn everything_holds_at_every_instant(words in words(1500), cut in any::<prop::sample::Index>()) {
        let mut storm = Storm::new();
        for (what, which) in words {
            storm.happen(what, which);
            storm.check();
        }
        let (events, rollout) = (&storm.world.events, &storm.world.rollout);
        let all = fold(events.iter().map(|(at, event)| (*at, event)));
        prop_assert_eq!(&all, rollout);
        // A prefix and what comes after it, by way of JSON as the log keeps it.
        let at = if events.is_empty() { 0 } else { cut.index(events.len()) };
        let mut again = fold(events[..at].iter().map(|(at, event)| (*at, event)));
        for (at, event) in &events[at..] {
            let kept: RolloutEvent = serde_json::from_str(&serde_json::to_string(event).unwrap()).unwrap();
            again.apply(*at, &kept);
        }
        prop_assert_eq!(&again, rollout);
        prop_assert_eq!(storm.world.due(), storm.world.due());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_healthy_fleet_gets_through_any_network(words in words(100)) {
        let mut storm = Storm::new();
        for (what, which) in words {
            // Only the network: asks, reports, deliveries, losses.
            storm.happen(what % NETWORK % 43, which);
            storm.check();
        }
        let world = &mut storm.world;
        for _ in 0..300 {
            world.settle();
            for n in 0..world.planes.len() {
                if world.planes[n].does == Does::Nothing {
                    world.start(n);
                }
                world.finish(n, Outcome::Healthy);
            }
            world.pass_time(300);
        }
        prop_assert!(world.rollout.is_through(&world.channel.plan), "it stalls: {:?}", world.rollout.rings);
    }
}

/// What never happens in the storm proves nothing there.
#[test]
fn the_storm_reaches_everything() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut kinds, mut rings) = (BTreeMap::<String, u32>::new(), BTreeMap::<usize, u32>::new());
    for _ in 0..300 {
        let words = words(1500).new_tree(&mut runner).unwrap().current();
        let mut storm = Storm::new();
        words.into_iter().for_each(|(what, which)| storm.happen(what, which));
        *rings.entry(storm.world.rollout.rings.len()).or_default() += 1;
        for (_, event) in &storm.world.events {
            let json = serde_json::to_value(event).unwrap();
            *kinds.entry(json.as_object().unwrap().keys().next().unwrap().clone()).or_default() += 1;
        }
    }
    println!("{rings:?} {kinds:?}");
    let events = [
        "created",
        "ringOpened",
        "shareReached",
        "wavePassed",
        "granted",
        "adopted",
        "ended",
        "lapsed",
        "halted",
        "resumeAsked",
        "resumed",
        "paused",
        "continued",
        "retried",
        "skipped",
        "expedited",
    ];
    for kind in events {
        assert!(kinds.contains_key(kind), "{kind} never happens: {kinds:?}");
    }
    assert!(rings.keys().any(|opened| *opened >= 3), "{rings:?}");
}
