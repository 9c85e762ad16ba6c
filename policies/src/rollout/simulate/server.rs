//! The server of a simulation: its own functions, asked in its order. Nobody is looked at who has nothing to do:
//! what is due stands in queues, and the tally changes with those who change.

use std::collections::BTreeSet;

use super::Trial;
use super::course::{Course, Point};
use super::plane::{Plane, span};
use super::queue::Queue;
use super::sum;
use crate::channel::{Channel, Promotion};
use crate::digest::Digest;
use crate::names::{BadName, Level, Ring};
use crate::plan::{RingPlan, Tempo};
use crate::report::{ReportState, TargetState};
use crate::rollout::flight::Running;
use crate::rollout::{Clock, Outside, Rollout, RolloutEvent, Row, Tally, step, tally};
use crate::time::At;

pub(super) const LEVEL: Level = Level(1);

/// When virtual time begins.
pub(super) fn begin() -> At {
    At::from_unix(0)
}

pub(super) struct Server<'a> {
    pub(super) channel: Channel,
    tempo: Tempo,
    pub(super) rings: &'a [Ring],
    pub(super) trial: &'a Trial,
    pub(super) rollout: Rollout,
    pub(super) planes: Vec<Plane>,
    pub(super) course: Course,
    /// How many are where now.
    pub(super) point: Point,
    /// What counting all data planes comes to.
    pub(super) tally: Tally,
    /// Ends and silences to come.
    pub(super) ends: Queue,
    pub(super) lanes: Vec<Lane>,
    /// How often data planes poll (seconds).
    pub(super) poll: i64,
    pub(super) now: i64,
    deferred: TargetState,
    /// Which wave waits for people, since when.
    pub(super) waits: Option<(Ring, usize, i64)>,
}

/// One ring.
#[derive(Default)]
pub(super) struct Lane {
    pub(super) members: u32,
    /// Who may ask at the next poll, in the order of their places.
    pub(super) asking: BTreeSet<usize>,
    pub(super) running: Running,
    /// Windows that open or shut.
    pub(super) windows: Queue,
}

impl<'a> Server<'a> {
    pub(super) fn new(
        plan: &RingPlan,
        rings: &'a [Ring],
        tempo: Tempo,
        planes: Vec<Plane>,
        trial: &'a Trial,
        poll: i64,
    ) -> Result<Self, BadName> {
        let mut channel = Channel::new("simulated".parse()?, plan.clone());
        channel.levels.insert(LEVEL, promotion(plan, tempo));
        let course = Course::new(rings, &planes);
        let lane = |members| Lane { members, ..Lane::default() };
        let mut server = Self {
            channel,
            tempo,
            rings,
            trial,
            rollout: Rollout::default(),
            point: Point::zero(rings.len()),
            lanes: course.rings.iter().map(|ring| lane(ring.members)).collect(),
            planes,
            course,
            tally: Tally::default(),
            ends: Queue::default(),
            poll,
            now: 0,
            deferred: says(ReportState::Deferred),
            waits: None,
        };
        let all: Vec<usize> = (0..server.planes.len()).collect();
        server.tally = server.count(&all, 0);
        Ok(server)
    }

    /// One poll interval: who ended reports, the rollout steps, who may start asks, the rollout steps.
    pub(super) fn tick(&mut self) -> bool {
        let before = self.rollout.events;
        let ended = self.reports();
        self.windows();
        self.settle();
        (0..self.lanes.len()).for_each(|ring| self.polls(ring));
        #[cfg(test)]
        self.check_grants();
        self.settle();
        self.people();
        self.course.note(&self.point, self.now);
        ended || self.rollout.events > before
    }

    pub(super) fn at(&self) -> At {
        begin().plus(span(self.now))
    }

    pub(super) fn clock(&self, now: i64) -> Clock {
        Clock { now: begin().plus(span(now)), listening: begin() }
    }

    pub(super) fn silence_after(&self, ring: &Ring) -> i64 {
        self.channel.plan.pace(self.tempo, ring).map_or(0, |pace| pace.silence_after.seconds())
    }

    /// What the server's count of some data planes comes to, all of them as they were at `at`.
    fn count(&self, who: &[usize], at: i64) -> Tally {
        let Some(promotion) = self.channel.levels.get(&LEVEL) else { return Tally::default() };
        let planes = who.iter().filter_map(|n| self.planes.get(*n));
        let rows = planes.map(|plane| self.row(plane, at, plane.shut));
        tally(&self.channel.plan, promotion, &self.rollout, LEVEL, rows, self.clock(at))
    }

    pub(super) fn row<'b>(&'b self, plane: &'b Plane, at: i64, shut: bool) -> Row<'b> {
        Row {
            pdp: &plane.pdp,
            ring: &plane.ring,
            heard: plane.last_heard(at).map(|heard| begin().plus(span(heard))),
            seen: None,
            current: None,
            target: shut.then_some(&self.deferred),
        }
    }

    /// Changes something about some data planes, and counts them anew. Several at once: only such as haven't started.
    pub(super) fn change(&mut self, who: &[usize], change: impl FnOnce(&mut Self)) {
        let counted = match who {
            [one] => self.planes.get(*one).map_or(self.now, |plane| plane.counted),
            _ => self.now,
        };
        let before = self.count(who, counted);
        change(self);
        for n in who {
            if let Some(plane) = self.planes.get_mut(*n) {
                plane.counted = self.now;
            }
        }
        let after = self.count(who, self.now);
        sum::remove(&mut self.tally, before);
        sum::add(&mut self.tally, after);
    }

    pub(super) fn settle(&mut self) {
        loop {
            #[cfg(test)]
            self.check_counts();
            let due = self.due();
            if due.is_empty() {
                return;
            }
            due.iter().for_each(|event| self.happens(event));
        }
    }

    fn due(&self) -> Vec<RolloutEvent> {
        let Some(promotion) = self.channel.levels.get(&LEVEL) else { return Vec::new() };
        step(&self.channel.plan, promotion, &self.rollout, &self.tally, Outside::default(), self.at())
    }

    /// An event that the rollout came to by itself.
    fn happens(&mut self, event: &RolloutEvent) {
        match event {
            RolloutEvent::RingOpened { ring } => self.open(ring, event),
            _ => self.push(event),
        }
    }

    pub(super) fn push(&mut self, event: &RolloutEvent) {
        self.rollout.apply(self.at(), event);
        self.course.happens(&self.channel.plan, event, &self.point, self.now);
    }

    /// When something can happen next; nothing does in between. Windows count up to `patience` only: they come again
    /// and again.
    pub(super) fn next(&self, patience: i64) -> Option<i64> {
        let lanes = self.rings.iter().zip(&self.lanes).filter(|(ring, _)| !self.rollout.is_halted(ring));
        let windows = lanes.filter_map(|(_, lane)| lane.windows.next()).filter(|at| *at <= patience);
        let rings = self.rings.iter().flat_map(|ring| self.turns(ring)).flatten();
        windows
            .chain(rings)
            .chain(self.ends.next())
            .chain(self.acknowledged_at())
            .filter(|at| *at > self.now)
            .min()
    }

    /// When a ring may open, and when its wave has soaked.
    fn turns(&self, ring: &Ring) -> [Option<i64>; 2] {
        let pace = self.channel.plan.pace(self.tempo, ring);
        let progress = self.rollout.rings.get(ring);
        let opens = pace.filter(|_| progress.is_none()).map(|pace| pace.opens_after.seconds());
        let reached = progress.and_then(|progress| progress.share_reached);
        let soaked = reached.zip(pace).map(|(at, pace)| at.seconds_since(begin()) + pace.soak.seconds());
        [opens, soaked]
    }
}

/// Promoted at the beginning of time, with the tempo's offsets.
fn promotion(plan: &RingPlan, tempo: Tempo) -> Promotion {
    let paces = plan.tempos.get(&tempo).into_iter().flatten();
    Promotion {
        sha256: Digest::of(b"simulated"),
        length: 0,
        promoted_at: begin(),
        tempo,
        opens_at: paces.map(|(ring, pace)| (ring.clone(), begin().plus(pace.opens_after))).collect(),
        open_to: Default::default(),
        supersedes: Default::default(),
        base: None,
        audience: Default::default(),
        asks_override: Default::default(),
    }
}

/// What a data plane says of the level.
pub(super) fn says(state: ReportState) -> TargetState {
    let sha256 = Digest::of(b"simulated");
    TargetState { level: LEVEL, sha256, attempt: 1, state, component: None, codes: Vec::new() }
}
