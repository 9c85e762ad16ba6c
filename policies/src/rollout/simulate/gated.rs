//! The plan as it stands: the server's own functions, asked in the server's order.

use std::collections::HashMap;

use super::Trial;
use super::course::{Course, HaltNote, WaveNote};
use super::fleet::Fleet;
use super::plane::{End, Plane, planes, span};
use crate::channel::{Channel, Promotion};
use crate::digest::Digest;
use crate::names::{BadName, Level, PdpId, Ring};
use crate::plan::{RingPlan, Tempo};
use crate::report::{ReportState, TargetState};
use crate::rollout::{
    Clock, Grant, HaltScope, Heard, Outside, Rollout, RolloutEvent, Row, Wish, grant, hear, step, tally,
};
use crate::time::At;

const LEVEL: Level = Level(1);

/// When virtual time begins.
fn begin() -> At {
    At::from_unix(0)
}

struct Server<'a> {
    channel: Channel,
    tempo: Tempo,
    rings: &'a [Ring],
    trial: &'a Trial,
    rollout: Rollout,
    planes: Vec<Plane>,
    /// Where each data plane is in `planes`.
    index: HashMap<PdpId, usize>,
    members: Vec<u32>,
    course: Course,
    /// How often data planes poll (seconds).
    poll: i64,
    now: i64,
}

pub(super) fn run(plan: &RingPlan, tempo: Tempo, fleet: &Fleet, trial: &Trial) -> Result<Course, BadName> {
    let rings: Vec<Ring> = plan.rings.iter().map(|rules| rules.name.clone()).collect();
    let planes = planes(fleet, &rings, trial)?;
    let course = Course::new(&rings, &planes);
    let mut channel = Channel::new("simulated".parse()?, plan.clone());
    channel.levels.insert(LEVEL, promotion(plan, tempo));
    let mut server = Server {
        channel,
        tempo,
        rings: &rings,
        trial,
        rollout: Rollout::default(),
        index: planes.iter().enumerate().map(|(n, plane)| (plane.pdp.clone(), n)).collect(),
        members: course.rings.iter().map(|ring| ring.members).collect(),
        planes,
        course,
        poll: fleet.poll_every.seconds(),
        now: 0,
    };
    let (poll, patience) = (server.poll, patience(plan, tempo, fleet));
    let mut moved = 0;
    loop {
        if server.tick() {
            moved = server.now;
        }
        let next = if moved == server.now { Some(server.now + 1) } else { server.next() };
        let lively = |next: &i64| server.course.length.is_none() && *next <= moved + patience;
        match next.filter(lively) {
            Some(next) => server.now = (next + poll - 1) / poll * poll,
            None => return Ok(server.course.finish(&server.planes, server.now)),
        }
    }
}

/// When nothing has happened for this long (seconds), nothing will: all windows were open, all that time decides is
/// decided.
fn patience(plan: &RingPlan, tempo: Tempo, fleet: &Fleet) -> i64 {
    let windows = fleet.rings.iter().filter_map(|crowd| crowd.windows).map(|windows| windows.every.seconds());
    let paces = plan.tempos.get(&tempo).into_iter().flat_map(|paces| paces.values());
    let paces =
        paces.map(|pace| pace.opens_after.seconds() + pace.soak.seconds().max(pace.silence_after.seconds()));
    windows.max().unwrap_or_default()
        + paces.max().unwrap_or_default()
        + 2 * fleet.poll_every.seconds()
        + fleet.upgrade.most.seconds()
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

fn says(state: ReportState) -> TargetState {
    let sha256 = Digest::of(b"simulated");
    TargetState { level: LEVEL, sha256, attempt: 1, state, component: None, codes: Vec::new() }
}

impl Server<'_> {
    /// One poll interval: who ended reports, the rollout steps, who may start asks, the rollout steps.
    fn tick(&mut self) -> bool {
        let before = self.rollout.events;
        let ended = self.reports();
        self.settle();
        self.polls();
        self.settle();
        self.course.note(&self.planes, self.now);
        ended || self.rollout.events > before
    }

    fn at(&self) -> At {
        begin().plus(span(self.now))
    }

    fn clock(&self) -> Clock {
        Clock { now: self.at(), listening: begin() }
    }

    fn reports(&mut self) -> bool {
        let (now, mut ended) = (self.now, false);
        for n in 0..self.planes.len() {
            while let Some((at, end)) = self.planes.get(n).and_then(|plane| plane.due(self.trial, now)) {
                ended = true;
                let Some(plane) = self.planes.get_mut(n) else { break };
                // Until then it was heard at every poll, though nothing made the clock stop there.
                if plane.talks() {
                    plane.heard = plane.heard.max(at - at % self.poll);
                }
                plane.end = Some(end);
                let state = match end {
                    End::Healthy => ReportState::Healthy,
                    End::Failed => ReportState::Failed,
                    End::Silent => continue,
                };
                if plane.talks() {
                    let (pdp, ring) = (plane.pdp.clone(), plane.ring.clone());
                    self.hear(&pdp, &ring, state);
                }
            }
            if let Some(plane) = self.planes.get_mut(n).filter(|plane| plane.talks()) {
                plane.heard = now;
            }
        }
        ended
    }

    fn hear(&mut self, pdp: &PdpId, ring: &Ring, state: ReportState) {
        let (target, at) = (says(state), self.at());
        let heard = Heard { pdp, ring, issued: at, target: &target, last: None };
        let Some(promotion) = self.channel.levels.get(&LEVEL) else { return };
        let events = hear(&self.channel, promotion, Some(&self.rollout), heard, at);
        events.unwrap_or_default().into_iter().for_each(|event| self.push(&event));
    }

    fn polls(&mut self) {
        for n in 0..self.planes.len() {
            let Some(plane) = self.planes.get(n) else { break };
            let asks = plane.began.is_none() && !plane.offline && plane.is_open(self.now);
            if !asks || !self.rollout.rings.contains_key(&plane.ring) {
                continue;
            }
            let (pdp, ring) = (plane.pdp.clone(), plane.ring.clone());
            let members = self.members.get(plane.ring_number).copied().unwrap_or_default();
            let wish = Wish { pdp: &pdp, ring: &ring, members, level: LEVEL, attempt: 1 };
            let heard = |pdp: &PdpId| {
                let plane = self.planes.get(*self.index.get(pdp)?)?;
                (!plane.offline).then(|| begin().plus(span(plane.heard)))
            };
            let rollouts = |level| (level == LEVEL).then_some(&self.rollout);
            if let Ok(Grant::New { attempt, until }) =
                grant(&self.channel, rollouts, wish, heard, None, self.clock())
            {
                self.push(&RolloutEvent::Granted { pdp, ring, attempt, until });
                if let Some(plane) = self.planes.get_mut(n) {
                    plane.began = Some(self.now);
                }
            }
        }
    }

    fn settle(&mut self) {
        loop {
            let due = self.due();
            if due.is_empty() {
                return;
            }
            due.iter().for_each(|event| self.push(event));
        }
    }

    fn due(&self) -> Vec<RolloutEvent> {
        let deferred = says(ReportState::Deferred);
        let rows = self.planes.iter().map(|plane| Row {
            pdp: &plane.pdp,
            ring: &plane.ring,
            heard: (!plane.offline).then(|| begin().plus(span(plane.heard))),
            seen: None,
            current: None,
            target: (!plane.is_open(self.now)).then_some(&deferred),
        });
        let plan = &self.channel.plan;
        let Some(promotion) = self.channel.levels.get(&LEVEL) else { return Vec::new() };
        let tally = tally(plan, promotion, &self.rollout, LEVEL, rows, self.clock());
        step(plan, promotion, &self.rollout, &tally, Outside::default(), self.at())
    }

    fn push(&mut self, event: &RolloutEvent) {
        self.rollout.apply(self.at(), event);
        let after = span(self.now);
        match event {
            RolloutEvent::RingOpened { ring } => {
                if let Some(course) = self.course.rings.iter_mut().find(|course| course.ring == *ring) {
                    course.opened = Some(after);
                }
            }
            RolloutEvent::ShareReached { ring, .. } => self.wave(ring, |course| {
                course.waves.push(WaveNote { share_reached: Some(after), passed: None });
            }),
            RolloutEvent::WavePassed { ring, wave } => {
                let last = self.channel.plan.rules(ring).is_some_and(|rules| wave + 1 == rules.waves.len());
                self.wave(ring, |course| {
                    if let Some(wave) = course.waves.last_mut() {
                        wave.passed = Some(after);
                    }
                    course.passed = last.then_some(after);
                });
                if self.rings.last() == Some(ring) && last {
                    self.course.length = Some(after);
                }
            }
            RolloutEvent::Halted { scope, cause } => {
                self.course.halts.push(HaltNote { after, scope: scope.clone(), cause: cause.clone() });
                if !matches!(scope, HaltScope::Organization { .. }) {
                    self.course.stop(&self.planes, self.now);
                }
            }
            _ => {}
        }
    }

    fn wave(&mut self, ring: &Ring, note: impl FnOnce(&mut super::course::RingCourse)) {
        if let Some(course) = self.course.rings.iter_mut().find(|course| course.ring == *ring) {
            note(course);
        }
    }

    /// When something can happen next; nothing does in between.
    fn next(&self) -> Option<i64> {
        let pace = |ring: &Ring| self.channel.plan.pace(self.tempo, ring);
        let silence = |plane: &Plane| {
            let started = plane.began.filter(|_| !plane.talks() || plane.end.is_none())?;
            let after = pace(&plane.ring).map_or(0, |pace| pace.silence_after.seconds());
            Some(started.max(plane.heard) + after)
        };
        let startable = |ring: &Ring| self.rollout.rings.contains_key(ring) && !self.rollout.is_halted(ring);
        let planes = self.planes.iter().flat_map(|plane| {
            let may = plane.began.is_none() && !plane.offline && startable(&plane.ring);
            let window = plane.opens(self.now).or(plane.shuts(self.now)).filter(|_| may);
            [plane.next_end(self.trial).map(|(at, _)| at), window, silence(plane)]
        });
        let rings = self.rings.iter().flat_map(|ring| {
            let progress = self.rollout.rings.get(ring);
            let opens = pace(ring).filter(|_| progress.is_none()).map(|pace| pace.opens_after.seconds());
            let soaked = progress.and_then(|progress| {
                let reached = progress.share_reached?.seconds_since(begin());
                Some(reached + pace(ring)?.soak.seconds())
            });
            [opens, soaked]
        });
        planes.chain(rings).flatten().filter(|at| *at > self.now).min()
    }
}
