//! Several servers over one log, each with a fold of its own that may be old: what was decided is appended only if
//! the log is still as long as the fold that it was decided on. Reports lie in the log here: they are caught up
//! with in the same way.

use std::collections::BTreeSet;

use pdp_policies::At;
use pdp_policies::report::TargetState;
use pdp_policies::rollout::{Command, Grant, HaltScope, Outcome, RolloutEvent, cap_of, fold};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::world::{Does, World};

/// What the servers share.
#[derive(Debug, Clone)]
enum Entry {
    Event(At, RolloutEvent),
    Report(usize, At, (At, TargetState)),
}

/// One server: what it knows, which may be a beginning of the log only.
#[derive(Clone)]
struct Replica {
    world: World,
    /// How much of the log it has read.
    read: usize,
}

/// On its way; any of them may come late, twice, or never, to whichever server.
#[derive(Debug, Clone)]
enum Mail {
    Ready(usize, u32),
    Report(usize, At, TargetState),
    Granted(usize, Grant),
}

struct Storm {
    /// What data planes truly do, and what time it is.
    truth: World,
    log: Vec<Entry>,
    replicas: Vec<Replica>,
    mail: Vec<Mail>,
    /// False for servers that append whatever they decided: it must be seen to go wrong.
    compare: bool,
    refused: u32,
    wrong: Option<String>,
}

impl Replica {
    /// Reads on, up to `end`.
    fn catch_up(&mut self, log: &[Entry], end: usize) {
        for entry in &log[self.read.min(end)..end] {
            match entry.clone() {
                Entry::Event(at, event) => {
                    self.world.rollout.apply(at, &event);
                    self.world.events.push((at, event));
                }
                Entry::Report(n, heard, last) => {
                    (self.world.planes[n].heard, self.world.planes[n].last) = (Some(heard), Some(last));
                }
            }
        }
        self.read = self.read.max(end);
    }
}

impl Storm {
    fn new(replicas: usize, compare: bool) -> Self {
        let truth = World::new(&[("canary", 3), ("early", 4), ("general", 6), ("regulated", 2)]);
        let replica = Replica { world: truth.clone(), read: 0 };
        Self {
            truth,
            log: Vec::new(),
            replicas: vec![replica; replicas],
            mail: Vec::new(),
            compare,
            refused: 0,
            wrong: None,
        }
    }

    /// One server decides and appends. One whose fold turns out to be old reads on and decides anew; its first
    /// decision is forgotten.
    fn decide<T>(&mut self, r: usize, decide: impl Fn(&mut World) -> T) -> T {
        self.replicas[r].world.now = self.truth.now;
        let mut trial = self.replicas[r].clone();
        let mut decided = decide(&mut trial.world);
        if self.compare && self.replicas[r].read != self.log.len() {
            self.refused += 1;
            self.replicas[r].catch_up(&self.log, self.log.len());
            trial = self.replicas[r].clone();
            decided = decide(&mut trial.world);
        }
        self.append(r, trial.world);
        decided
    }

    /// Writes down what the decision changed.
    fn append(&mut self, r: usize, after: World) {
        let before = &self.replicas[r].world;
        let mut new = Vec::new();
        for (n, (was, is)) in before.planes.iter().zip(&after.planes).enumerate() {
            if let (Some(heard), Some(last)) = (is.heard, is.last.clone())
                && (was.heard, &was.last) != (is.heard, &is.last)
            {
                new.push(Entry::Report(n, heard, last));
            }
        }
        let events = after.events[before.events.len()..].iter().cloned();
        new.extend(events.map(|(at, event)| Entry::Event(at, event)));
        for entry in new {
            self.check(&entry);
            self.log.push(entry);
        }
        if self.compare {
            let end = self.log.len();
            self.replicas[r].catch_up(&self.log, end);
        } else {
            // What it wrote it knows; what others wrote it reads some time.
            self.replicas[r].world = after;
        }
    }

    /// What must hold for the log at every instant.
    fn check(&mut self, next: &Entry) {
        let Entry::Event(_, event) = next else { return };
        let written = self.log.iter().filter_map(|entry| match entry {
            Entry::Event(at, event) => Some((*at, event)),
            Entry::Report(..) => None,
        });
        let before = fold(written.clone());
        let wrong = match event {
            RolloutEvent::Granted { pdp, ring, .. } => {
                let (new, rules) =
                    (!before.starts.contains_key(pdp), self.truth.channel.plan.rules(ring).unwrap());
                let wave = before.rings.get(ring).map_or(0, |progress| progress.wave);
                let cap = cap_of(rules, wave, self.truth.members(ring));
                let over = new && before.starts_in(ring) >= cap;
                let held = before.is_halted_for(ring, Some(&pdp.organization)) || before.paused.is_some();
                over.then_some("beyond the cap").or(held.then_some("a grant after a halt"))
            }
            RolloutEvent::Created {} | RolloutEvent::RingOpened { .. } | RolloutEvent::WavePassed { .. } => {
                let twice = written.clone().any(|(_, known)| known == event);
                twice.then_some("the same step twice")
            }
            _ => None,
        };
        self.wrong = self.wrong.take().or_else(|| wrong.map(|wrong| format!("{wrong}: {event:?}")));
    }

    /// One thing happens: `what` chooses, `which` is its subject, `r` the server it comes to.
    fn happen(&mut self, what: u8, which: u16, r: usize) {
        let (n, r) = (usize::from(which) % self.truth.planes.len(), r % self.replicas.len());
        match what % 32 {
            0..=9 => self.ask(n),
            10..=12 => self.mail.push(Mail::Report(n, self.truth.now, self.truth.says(n))),
            13..=21 => self.deliver(usize::from(which), r, true),
            22..=23 => self.deliver(usize::from(which), r, false),
            24 if !self.mail.is_empty() => {
                let lost = usize::from(which) % self.mail.len();
                self.mail.remove(lost);
            }
            25 => {
                let outcome = if which.is_multiple_of(8) { Outcome::Failed } else { Outcome::Healthy };
                self.truth.end(n, outcome);
            }
            26 => self.refresh(r, usize::from(which)),
            27 => self.hear_all(r, u32::from(which) % 1500),
            28 => self.people(which, r),
            29 => self.decide(r, World::settle),
            _ => self.truth.silence(u32::from(which) % 60),
        }
    }

    fn ask(&mut self, n: usize) {
        match self.truth.planes[n].does {
            Does::Nothing => self.mail.push(Mail::Ready(n, 1)),
            Does::Ended(attempt, Outcome::Failed) => self.mail.push(Mail::Ready(n, attempt + 1)),
            _ => {}
        }
    }

    /// A server reads on, as far as the network lets it.
    fn refresh(&mut self, r: usize, which: usize) {
        let (read, end) = (self.replicas[r].read, self.log.len());
        if self.compare {
            self.replicas[r].catch_up(&self.log, read + which % (end - read + 1));
        } else {
            let mut fresh = Replica { world: World { ..self.truth.clone() }, read: 0 };
            fresh.catch_up(&self.log, end);
            self.replicas[r] = fresh;
        }
    }

    /// Time passes in which the network is good: everybody reports, to one server.
    fn hear_all(&mut self, r: usize, seconds: u32) {
        self.truth.silence(seconds);
        for n in 0..self.truth.planes.len() {
            let (issued, said) = (self.truth.now, self.truth.says(n));
            self.decide(r, |world| world.take(n, issued, said.clone()).is_ok());
        }
        self.decide(r, World::settle);
    }

    fn people(&mut self, which: u16, r: usize) {
        let scope = HaltScope::Ring { ring: self.truth.planes[usize::from(which) % 15].ring.clone() };
        let (command, by) = match which % 5 {
            0 => (Command::Halt { scope }, "ada"),
            1 => (Command::Pause {}, "ada"),
            2 => (Command::Continue {}, "ada"),
            n => (Command::Resume { scope }, ["ada", "bob"][usize::from(n) % 2]),
        };
        self.decide(r, |world| world.order(by, command.clone()).is_ok());
    }

    fn deliver(&mut self, which: usize, r: usize, once: bool) {
        if self.mail.is_empty() {
            return;
        }
        let which = which % self.mail.len();
        let mail = if once { self.mail.remove(which) } else { self.mail[which].clone() };
        match mail {
            Mail::Ready(n, attempt) => {
                if let Ok(grant) = self.decide(r, |world| world.ready(n, attempt)) {
                    self.mail.push(Mail::Granted(n, grant));
                }
            }
            Mail::Report(n, issued, said) => {
                self.decide(r, |world| world.take(n, issued, said.clone()).is_ok());
            }
            Mail::Granted(n, grant) => {
                if self.truth.planes[n].does == Does::Nothing {
                    self.truth.begin(n, grant);
                }
            }
        }
    }

    /// Those that truly began are counted, each once.
    fn uncounted(&self) -> Option<String> {
        let mut all = self.replicas[0].clone();
        all.catch_up(&self.log, self.log.len());
        self.truth.channel.plan.rings.iter().find_map(|rules| {
            let began = self.truth.planes.iter().filter(|p| p.ring == rules.name && p.does != Does::Nothing);
            let (began, counted) = (began.count() as u32, all.world.rollout.starts_in(&rules.name));
            (began > counted).then(|| format!("{}: {began} began, {counted} counted", rules.name))
        })
    }
}

fn words(most: usize) -> impl Strategy<Value = Vec<(u8, u16, u8)>> {
    prop::collection::vec((any::<u8>(), any::<u16>(), any::<u8>()), 1..most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_number_of_replicas_keeps_caps_and_halts(replicas in 1..6usize, words in words(800)) {
        let mut storm = Storm::new(replicas, true);
        for (what, which, r) in words {
            storm.happen(what, which, usize::from(r));
            prop_assert_eq!(&storm.wrong, &None);
            prop_assert_eq!(storm.uncounted(), None);
        }
        // Whoever reads the whole log knows the same.
        let end = storm.log.len();
        storm.replicas.iter_mut().for_each(|replica| replica.catch_up(&storm.log, end));
        for replica in &storm.replicas {
            prop_assert_eq!(&replica.world.rollout, &storm.replicas[0].world.rollout);
        }
    }
}

/// The same storm with and without the comparison: what never goes wrong without it, it doesn't prevent.
#[test]
fn replicas_that_append_without_comparing_go_beyond_the_cap() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut wrongs, mut refused) = (BTreeSet::new(), 0);
    for _ in 0..100 {
        let words = words(800).new_tree(&mut runner).unwrap().current();
        let (mut exact, mut loose) = (Storm::new(3, true), Storm::new(3, false));
        for (what, which, r) in words {
            exact.happen(what, which, usize::from(r));
            loose.happen(what, which, usize::from(r));
        }
        assert_eq!(exact.wrong, None);
        refused += exact.refused;
        wrongs.extend(loose.wrong.and_then(|wrong| Some(wrong.split_once(':')?.0.to_owned())));
    }
    assert!(refused > 100, "{refused} decisions on an old fold");
    let all = ["a grant after a halt", "beyond the cap", "the same step twice"];
    assert!(all.iter().all(|wrong| wrongs.contains(*wrong)), "{wrongs:?}");
}
