//! A server's rollout and the small data planes around it, with a clock of its own and a network that may lose,
//! delay and repeat.

use std::collections::BTreeMap;

use pdp_policies::report::{ReportState, TargetState};
use pdp_policies::rollout::{
    Clock, Command, CommandRefusal, Fate, Grant, Heard, Order, Outcome, Outside, Reasons, Rollout,
    RolloutEvent, Row, Tally, Unheard, Wellness, Wish, cap_of, command, explained, grant, hear, step,
    superseded, tally,
};
use pdp_policies::{At, Channel, Digest, Level, ObstacleCode, PdpId, Promotion, Ring, RingPlan, Span, Tempo};

use crate::vendor::{line, now};

pub(super) const LEVEL: Level = Level(42);

pub(super) fn ring(name: &str) -> Ring {
    name.parse().unwrap()
}

pub(super) fn pdp(name: &str) -> PdpId {
    let (organization, data_plane) = name.split_once('/').unwrap_or((name, "prod"));
    PdpId { organization: organization.parse().unwrap(), data_plane: data_plane.parse().unwrap() }
}

pub(super) fn promotion(plan: &RingPlan, tempo: Tempo, level: Level) -> Promotion {
    let opens_at =
        plan.tempos[&tempo].iter().map(|(ring, pace)| (ring.clone(), now().plus(pace.opens_after)));
    Promotion {
        sha256: Digest::of(level.to_string().as_bytes()),
        length: 2,
        promoted_at: now(),
        tempo,
        opens_at: opens_at.collect(),
        open_to: BTreeMap::new(),
        supersedes: Default::default(),
        base: None,
        audience: Default::default(),
        asks_override: Default::default(),
    }
}

/// What a data plane truly does, whoever knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    Nothing,
    Defers,
    Applies(u32),
    Ended(u32, Outcome),
}

/// One small data plane, and what the server knows of it.
#[derive(Debug, Clone)]
pub(super) struct Plane {
    pub(super) pdp: PdpId,
    pub(super) ring: Ring,
    pub(super) does: Does,
    pub(super) current: Option<Level>,
    pub(super) heard: Option<At>,
    pub(super) last: Option<(At, TargetState)>,
    pub(super) wellness: Wellness,
}

/// All of it.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) channel: Channel,
    pub(super) events: Vec<(At, RolloutEvent)>,
    pub(super) rollout: Rollout,
    pub(super) planes: Vec<Plane>,
    pub(super) now: At,
    pub(super) listening: At,
    pub(super) braked: Option<ObstacleCode>,
}

impl World {
    /// Rings by size, every data plane of an organization of its own.
    pub(super) fn new(sizes: &[(&str, u32)]) -> Self {
        Self::with(RingPlan::shipped().unwrap(), Tempo::Emergency, sizes)
    }

    /// As [`World::new`], without the slow start: what is tested needs several in flight.
    pub(super) fn at_once(sizes: &[(&str, u32)]) -> Self {
        let mut world = Self::new(sizes);
        world.channel.plan.rings.iter_mut().for_each(|rules| rules.slow_start = false);
        world
    }

    pub(super) fn with(plan: RingPlan, tempo: Tempo, sizes: &[(&str, u32)]) -> Self {
        let planes = sizes.iter().flat_map(|(name, size)| {
            (0..*size).map(move |n| Plane {
                pdp: pdp(&format!("{name}-{n}")),
                ring: ring(name),
                does: Does::Nothing,
                current: Some(Level(41)),
                heard: Some(now()),
                last: None,
                wellness: Wellness::Well,
            })
        });
        let mut channel = Channel::new(line(), plan);
        let promotion = promotion(&channel.plan, tempo, LEVEL);
        channel.levels.insert(LEVEL, promotion);
        Self {
            channel,
            events: Vec::new(),
            rollout: Rollout::default(),
            planes: planes.collect(),
            now: now(),
            listening: At::from_unix(0),
            braked: None,
        }
    }

    pub(super) fn push(&mut self, event: RolloutEvent) {
        self.rollout.apply(self.now, &event);
        self.events.push((self.now, event));
    }

    pub(super) fn clock(&self) -> Clock {
        Clock { now: self.now, listening: self.listening }
    }

    pub(super) fn promotion(&self) -> &Promotion {
        &self.channel.levels[&LEVEL]
    }

    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.planes.iter().map(|plane| Row {
            pdp: &plane.pdp,
            ring: &plane.ring,
            heard: plane.heard,
            seen: None,
            current: plane.current,
            target: plane.last.as_ref().map(|(_, target)| target),
        })
    }

    pub(super) fn tally(&self) -> Tally {
        let (plan, clock) = (&self.channel.plan, self.clock());
        tally(plan, self.promotion(), &self.rollout, LEVEL, self.rows(), clock)
    }

    /// Why they stand where they stand; counted beside the same tally.
    pub(super) fn reasons(&self) -> BTreeMap<Ring, Reasons> {
        let (plan, clock) = (&self.channel.plan, self.clock());
        let (tally, reasons) = explained(plan, self.promotion(), &self.rollout, LEVEL, self.rows(), clock);
        assert_eq!(tally, self.tally());
        reasons
    }

    /// The events that are due now.
    pub(super) fn due(&self) -> Vec<RolloutEvent> {
        let outside = Outside { braked: self.braked.is_some(), superseded: superseded(&self.channel, LEVEL) };
        step(&self.channel.plan, self.promotion(), &self.rollout, &self.tally(), outside, self.now)
    }

    /// Steps until nothing is due.
    pub(super) fn settle(&mut self) {
        for _ in 0..100 {
            let due = self.due();
            if due.is_empty() {
                return;
            }
            due.into_iter().for_each(|event| self.push(event));
        }
        panic!("it never settles");
    }

    pub(super) fn members(&self, ring: &Ring) -> u32 {
        let meant = |plane: &&Plane| self.promotion().is_for(&plane.pdp.organization);
        self.planes.iter().filter(|plane| plane.ring == *ring).filter(meant).count() as u32
    }

    /// How many starts the current wave of a ring allows.
    pub(super) fn cap(&self, ring: &Ring) -> u32 {
        let wave = self.rollout.rings[ring].wave;
        cap_of(self.channel.plan.rules(ring).unwrap(), wave, self.members(ring))
    }

    /// A `ready` as the server takes it.
    pub(super) fn ready(&mut self, n: usize, attempt: u32) -> Result<Grant, ObstacleCode> {
        let Plane { pdp, ring, wellness, .. } = self.planes[n].clone();
        let wish = Wish { pdp: &pdp, ring: &ring, members: self.members(&ring), level: LEVEL, attempt };
        let heard = |pdp: &PdpId| self.planes.iter().find(|plane| plane.pdp == *pdp)?.heard;
        let rollouts = |level| (level == LEVEL).then_some(&self.rollout);
        let given = grant(&self.channel, rollouts, wish, heard, self.braked, self.clock());
        if let Ok(Grant::New { attempt, until }) = given {
            self.push(RolloutEvent::Granted { pdp, ring, attempt, until, sick: wellness.is_sick() });
        }
        given
    }

    /// The data plane takes the grant and begins.
    pub(super) fn begin(&mut self, n: usize, grant: Grant) {
        let (Grant::New { attempt, until } | Grant::Again { attempt, until }) = grant;
        if until > self.now && self.planes[n].does != Does::Applies(attempt) {
            self.planes[n].does = Does::Applies(attempt);
        }
    }

    /// Asks, begins, reports; true if it may.
    pub(super) fn start(&mut self, n: usize) -> bool {
        let Ok(grant) = self.ready(n, 1) else { return false };
        self.begin(n, grant);
        self.report(n);
        true
    }

    pub(super) fn end(&mut self, n: usize, outcome: Outcome) {
        if let Does::Applies(attempt) = self.planes[n].does {
            self.planes[n].does = Does::Ended(attempt, outcome);
        }
    }

    /// What a data plane would report now.
    pub(super) fn says(&self, n: usize) -> TargetState {
        let (state, attempt) = match self.planes[n].does {
            Does::Nothing => (ReportState::Ready, 1),
            Does::Defers => (ReportState::Deferred, 1),
            Does::Applies(attempt) => (ReportState::Started, attempt),
            Does::Ended(attempt, Outcome::Healthy) => (ReportState::Healthy, attempt),
            Does::Ended(attempt, Outcome::Written) => (ReportState::Written, attempt),
            Does::Ended(attempt, Outcome::Failed) => (ReportState::Failed, attempt),
        };
        let sha256 = self.promotion().sha256;
        TargetState { level: LEVEL, sha256, attempt, state, component: None, codes: Vec::new() }
    }

    /// A report as the server takes it: an older one than the last is refused, the last one again is known.
    pub(super) fn take(&mut self, n: usize, issued: At, target: TargetState) -> Result<(), Unheard> {
        let plane = &self.planes[n];
        if plane
            .last
            .as_ref()
            .is_some_and(|(last, known)| (*last, known) == (issued, &target) || *last > issued)
        {
            return Ok(());
        }
        let last = plane.last.as_ref().map(|(_, target)| target);
        let heard = Heard {
            pdp: &plane.pdp,
            ring: &plane.ring,
            issued,
            target: &target,
            last,
            wellness: plane.wellness,
        };
        let events = hear(&self.channel, self.promotion(), Some(&self.rollout), heard, self.now)?;
        (self.planes[n].heard, self.planes[n].last) = (Some(self.now), Some((issued, target)));
        events.into_iter().for_each(|event| self.push(event));
        Ok(())
    }

    /// Reports at once, and is heard.
    pub(super) fn report(&mut self, n: usize) {
        let target = self.says(n);
        self.take(n, self.now, target).unwrap();
    }

    pub(super) fn finish(&mut self, n: usize, outcome: Outcome) {
        self.end(n, outcome);
        self.report(n);
    }

    /// Time passes; nobody is heard.
    pub(super) fn silence(&mut self, seconds: u32) {
        self.now = self.now.plus(Span::from_seconds(seconds));
    }

    /// Time passes, and everyone reports as they stand.
    pub(super) fn pass_time(&mut self, seconds: u32) {
        self.silence(seconds);
        for n in 0..self.planes.len() {
            self.report(n);
        }
    }

    /// A person's word.
    pub(super) fn order(&mut self, by: &str, command: Command) -> Result<bool, CommandRefusal> {
        let event = self.ask(by, &command)?;
        let found = event.is_some();
        event.into_iter().for_each(|event| self.push(event));
        Ok(found)
    }

    pub(super) fn ask(&self, by: &str, wanted: &Command) -> Result<Option<RolloutEvent>, CommandRefusal> {
        let order = Order { command: wanted, by, reason: "because" };
        let fate = Fate {
            withdrawn: self.channel.withdrawn.contains_key(&LEVEL),
            superseded: superseded(&self.channel, LEVEL),
        };
        command(&self.channel.plan, &self.rollout, fate, &self.tally(), order)
    }

    /// Two people end a halt.
    pub(super) fn resume(&mut self, scope: &pdp_policies::rollout::HaltScope) {
        for by in ["ada", "bob"] {
            assert!(self.order(by, Command::Resume { scope: scope.clone() }).unwrap());
        }
    }
}
