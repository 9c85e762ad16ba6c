//! How a simulated rollout went.

use serde::Serialize;

use super::plane::{End, Plane, span};
use crate::names::Ring;
use crate::plan::{RingPlan, Tempo};
use crate::rollout::{Cause, HaltScope, Lack, RolloutEvent};
use crate::time::Span;

/// No course keeps more points than this: enough for a picture.
const MOST_POINTS: usize = 200;

/// A simulation: the plan as it stands, beside one of the same length that knows nothing but time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Simulation {
    /// The tempo.
    pub tempo: Tempo,
    /// How many data planes there are.
    pub data_planes: u32,
    /// How many of them report at all.
    pub reporting: u32,
    /// With waves that have to prove themselves, and halts.
    pub gated: Course,
    /// With waves by the clock, and nobody who looks.
    pub timed: Course,
}

/// How one rollout went. All times are since the promotion.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Course {
    /// When the last wave passed; none if it never did.
    pub length: Option<Span>,
    /// What stopped it, if anything did; by the clock: when people would have.
    pub stop: Option<Stop>,
    /// What it waits for in the end, if it neither got through nor was halted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stall: Option<Stall>,
    /// When the last data plane started.
    pub last_start: Option<Span>,
    /// Data planes that started, in the end.
    pub started: u32,
    /// Data planes that are healthy, in the end.
    pub healthy: u32,
    /// Data planes that the level broke, in the end.
    pub broken: u32,
    /// Data planes that failed because they were sick before, in the end.
    pub sick: u32,
    /// Data planes that failed by chance, in the end.
    pub by_chance: u32,
    /// The rings, first to last.
    pub rings: Vec<RingCourse>,
    /// Every halt.
    pub halts: Vec<HaltNote>,
    /// How it went over time.
    pub curve: Vec<Point>,
}

/// The first halt of a ring, or when people would have stopped it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stop {
    /// When.
    pub after: Span,
    /// How many had started by then.
    pub started: u32,
    /// That share of the fleet, in percent.
    pub share: f64,
}

/// A wave that waits without end.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stall {
    /// In which ring.
    pub ring: Ring,
    /// Which wave, first is 0.
    pub wave: usize,
    /// How many the ring has.
    pub waves: usize,
    /// What it lacks.
    pub lack: Lack,
}

/// One ring.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RingCourse {
    /// Its name.
    pub ring: Ring,
    /// How many data planes it has.
    pub members: u32,
    /// When it opened.
    pub opened: Option<Span>,
    /// Its waves, as far as they came.
    pub waves: Vec<WaveNote>,
    /// When its last wave passed.
    pub passed: Option<Span>,
    /// How many started, in the end.
    pub started: u32,
    /// How many are healthy, in the end.
    pub healthy: u32,
    /// How many the level broke, in the end.
    pub broken: u32,
    /// How many failed because they were sick before, in the end.
    pub sick: u32,
    /// How many failed by chance, in the end.
    pub by_chance: u32,
}

/// One wave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WaveNote {
    /// When the healthy share was reached: the soak began.
    pub share_reached: Option<Span>,
    /// When it passed.
    pub passed: Option<Span>,
    /// People passed it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub acknowledged: bool,
}

/// One halt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HaltNote {
    /// When.
    pub after: Span,
    /// What.
    pub scope: HaltScope,
    /// Why.
    pub cause: Cause,
}

/// How many had started, were healthy or broken at one time, by ring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Point {
    /// When.
    pub after: Span,
    /// Started, by ring.
    pub started: Vec<u32>,
    /// Healthy, by ring.
    pub healthy: Vec<u32>,
    /// Broken by the level, by ring.
    pub broken: Vec<u32>,
    /// Failed because they were sick before, by ring.
    #[serde(skip)]
    pub sick: Vec<u32>,
    /// Failed by chance, by ring.
    #[serde(skip)]
    pub by_chance: Vec<u32>,
}

impl Point {
    /// All rings together: started, healthy, broken by the level.
    pub fn sums(&self) -> [u32; 3] {
        [&self.started, &self.healthy, &self.broken].map(|counts| counts.iter().sum())
    }

    pub(super) fn zero(rings: usize) -> Self {
        let zeros = || vec![0; rings];
        Self {
            after: Span::default(),
            started: zeros(),
            healthy: zeros(),
            broken: zeros(),
            sick: zeros(),
            by_chance: zeros(),
        }
    }

    /// One more started.
    pub(super) fn begin(&mut self, ring: usize) {
        count(&mut self.started, ring, 1);
    }

    /// One ended, after an earlier end if it had one.
    pub(super) fn end(&mut self, ring: usize, before: Option<End>, end: End) {
        for (end, by) in before.map(|before| (before, -1)).into_iter().chain([(end, 1)]) {
            match end {
                End::Healthy => count(&mut self.healthy, ring, by),
                End::Failed | End::Silent => count(&mut self.broken, ring, by),
                End::Sick => count(&mut self.sick, ring, by),
                End::Unlucky => count(&mut self.by_chance, ring, by),
            }
        }
    }

    fn same(&self, other: &Self) -> bool {
        Self { after: self.after, ..other.clone() } == *self
    }
}

fn count(counts: &mut [u32], ring: usize, by: i32) {
    if let Some(count) = counts.get_mut(ring) {
        *count = count.saturating_add_signed(by);
    }
}

impl RingCourse {
    fn wave(&mut self, wave: usize, note: impl FnOnce(&mut WaveNote)) {
        self.waves.resize(self.waves.len().max(wave + 1), WaveNote::default());
        if let Some(wave) = self.waves.get_mut(wave) {
            note(wave);
        }
    }
}

impl Course {
    pub(super) fn new(rings: &[Ring], planes: &[Plane]) -> Self {
        let mut members = vec![0; rings.len()];
        planes.iter().for_each(|plane| count(&mut members, plane.ring_number, 1));
        let ring = |(number, ring): (usize, &Ring)| RingCourse {
            ring: ring.clone(),
            members: members.get(number).copied().unwrap_or_default(),
            opened: None,
            waves: Vec::new(),
            passed: None,
            started: 0,
            healthy: 0,
            broken: 0,
            sick: 0,
            by_chance: 0,
        };
        Self {
            length: None,
            stop: None,
            started: 0,
            healthy: 0,
            broken: 0,
            sick: 0,
            by_chance: 0,
            stall: None,
            last_start: None,
            rings: rings.iter().enumerate().map(ring).collect(),
            halts: Vec::new(),
            curve: vec![Point::zero(rings.len())],
        }
    }

    /// Notes how many are where, if that has changed.
    pub(super) fn note(&mut self, point: &Point, now: i64) {
        if !self.curve.last().is_some_and(|last| last.same(point)) {
            self.curve.push(Point { after: span(now), ..point.clone() });
        }
    }

    /// Notes what the rollout came to.
    pub(super) fn happens(&mut self, plan: &RingPlan, event: &RolloutEvent, point: &Point, now: i64) {
        let after = span(now);
        match event {
            RolloutEvent::RingOpened { ring } => self.ring(ring, |course| course.opened = Some(after)),
            RolloutEvent::ShareReached { ring, wave } => {
                self.ring(ring, |course| course.wave(*wave, |note| note.share_reached = Some(after)));
            }
            RolloutEvent::Acknowledged { ring, wave, .. } => {
                self.ring(ring, |course| course.wave(*wave, |note| note.acknowledged = true));
                self.pass(plan, ring, *wave, after);
            }
            RolloutEvent::WavePassed { ring, wave } => self.pass(plan, ring, *wave, after),
            RolloutEvent::Granted { .. } => self.last_start = Some(after),
            RolloutEvent::Halted { scope, cause } => {
                self.halts.push(HaltNote { after, scope: scope.clone(), cause: cause.clone() });
                if !matches!(scope, HaltScope::Organization { .. }) {
                    self.stop(point, now);
                }
            }
            _ => {}
        }
    }

    fn pass(&mut self, plan: &RingPlan, ring: &Ring, wave: usize, after: Span) {
        let last = plan.rules(ring).is_some_and(|rules| wave + 1 == rules.waves.len());
        self.ring(ring, |course| {
            course.wave(wave, |note| note.passed = Some(after));
            course.passed = last.then_some(after);
        });
        if last && plan.rings.last().is_some_and(|rules| rules.name == *ring) {
            self.length = Some(after);
        }
    }

    fn ring(&mut self, ring: &Ring, note: impl FnOnce(&mut RingCourse)) {
        if let Some(course) = self.rings.iter_mut().find(|course| course.ring == *ring) {
            note(course);
        }
    }

    /// Stopped now, unless it was before.
    pub(super) fn stop(&mut self, point: &Point, now: i64) {
        let [started, ..] = point.sums();
        let all = self.rings.iter().map(|ring| ring.members).sum::<u32>().max(1);
        let share = (f64::from(started) * 10_000.0 / f64::from(all)).round() / 100.0;
        self.stop.get_or_insert(Stop { after: span(now), started, share });
    }

    /// Sums up; the curve is thinned to what a picture needs.
    pub(super) fn finish(mut self, point: &Point, now: i64) -> Self {
        let end = Point { after: span(now), ..point.clone() };
        [self.started, self.healthy, self.broken] = end.sums();
        [self.sick, self.by_chance] = [&end.sick, &end.by_chance].map(|counts| counts.iter().sum());
        for (number, ring) in self.rings.iter_mut().enumerate() {
            let of = |counts: &[u32]| counts.get(number).copied().unwrap_or_default();
            (ring.started, ring.healthy) = (of(&end.started), of(&end.healthy));
            (ring.broken, ring.sick, ring.by_chance) = (of(&end.broken), of(&end.sick), of(&end.by_chance));
        }
        let all = self.curve.len();
        let keep = |n: usize| {
            all <= MOST_POINTS || n == 0 || n * (MOST_POINTS - 1) / all != (n - 1) * (MOST_POINTS - 1) / all
        };
        let mut number = 0;
        self.curve.retain(|_| {
            number += 1;
            keep(number - 1)
        });
        self.curve.push(end);
        self
    }

    /// How many had started at one time.
    pub fn started_at(&self, after: Span) -> u32 {
        let before = self.curve.iter().take_while(|point| point.after <= after).last();
        before.map_or(0, |point| point.sums()[0])
    }
}
