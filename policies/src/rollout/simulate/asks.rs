//! Who may start, and asks.

use super::plane::Plane;
use super::queue::Due;
use super::server::{LEVEL, Server};
use crate::names::Ring;
use crate::rollout::grant::{Refusal, grant_where};
use crate::rollout::{Grant, Rollout, RolloutEvent, Wish};
use crate::time::Span;

impl Server<'_> {
    /// From now on the windows of a ring count.
    pub(super) fn open(&mut self, ring: &Ring, event: &RolloutEvent) {
        let members = self.planes.iter().enumerate().filter(|(_, plane)| plane.ring == *ring);
        let who: Vec<usize> = members.map(|(n, _)| n).collect();
        self.change(&who, |server| {
            server.push(event);
            who.iter().for_each(|n| server.turn(*n));
        });
    }

    pub(super) fn windows(&mut self) {
        let mut turned = Vec::new();
        for lane in &mut self.lanes {
            while let Some((n, _)) = lane.windows.pop(self.now) {
                turned.push(n);
            }
        }
        turned.retain(|n| self.planes.get(*n).is_some_and(|plane| plane.began.is_none()));
        self.change(&turned, |server| turned.iter().for_each(|n| server.turn(*n)));
    }

    /// Looks at the window of one that may start, if it has one, now and when it turns next.
    fn turn(&mut self, n: usize) {
        let Some(plane) = self.planes.get_mut(n) else { return };
        plane.shut = !plane.is_open(self.now);
        let Some(lane) = self.lanes.get_mut(plane.ring_number).filter(|_| !plane.offline) else { return };
        if let Some(at) = plane.turns(self.now) {
            lane.windows.push(at, n, Due::Window);
        }
        match plane.shut {
            true => lane.asking.remove(&n),
            false => lane.asking.insert(n),
        };
    }

    /// Who may start asks, one after the other, until somebody is refused for what refuses everybody in the ring.
    pub(super) fn polls(&mut self, ring: usize) {
        let mut next = 0;
        while let Some(n) = self.asking(ring, next) {
            next = n + 1;
            match self.ask(n) {
                Some(Ok(event)) => self.change(&[n], |server| {
                    server.push(&event);
                    server.start(n);
                }),
                Some(Err(Refusal::Asker(_))) => {}
                Some(Err(Refusal::Ring(_))) | None => return,
            }
        }
    }

    /// The first one from a place on that may ask.
    fn asking(&self, ring: usize, from: usize) -> Option<usize> {
        self.lanes.get(ring)?.asking.range(from..).next().copied()
    }

    /// What its question comes to: a start, or a refusal.
    pub(super) fn ask(&self, n: usize) -> Option<Result<RolloutEvent, Refusal>> {
        let Plane { pdp, ring, ring_number, sick, .. } = self.planes.get(n)?;
        let lane = self.lanes.get(*ring_number)?;
        let wish = Wish { pdp, ring, members: lane.members, level: LEVEL, attempt: 1 };
        let rollouts = |level| (level == LEVEL).then_some(&self.rollout);
        let running = |_: &Rollout, _: Span| lane.running;
        let grant = grant_where(&self.channel, rollouts, wish, running, None, self.clock(self.now));
        Some(grant.map(|grant| {
            let (Grant::New { attempt, until } | Grant::Again { attempt, until }) = grant;
            RolloutEvent::Granted { pdp: pdp.clone(), ring: ring.clone(), attempt, until, sick: *sick }
        }))
    }

    fn start(&mut self, n: usize) {
        let (now, trial) = (self.now, self.trial);
        let silence_after = self.planes.get(n).map_or(0, |plane| self.silence_after(&plane.ring));
        let Some(plane) = self.planes.get_mut(n) else { return };
        (plane.began, plane.flying) = (Some(now), true);
        self.point.begin(plane.ring_number);
        if let Some((at, _)) = plane.next_end(trial) {
            self.ends.push(at, n, Due::End);
        }
        if plane.mute {
            self.ends.push(now + silence_after, n, Due::Silence);
        }
        if let Some(lane) = self.lanes.get_mut(plane.ring_number) {
            lane.asking.remove(&n);
            lane.running.flying += 1;
        }
    }
}
