//! Who may start, and asks.

use super::plane::Plane;
use super::queue::Due;
use super::server::{LEVEL, Server};
use crate::names::Ring;
use crate::rollout::grant::grant_where;
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
        let halted = self.rollout.is_halted_for(&plane.ring, Some(&plane.pdp.organization));
        match plane.shut || halted {
            true => lane.asking.remove(&n),
            false => lane.asking.insert(n),
        };
    }

    /// Who may start asks, until one is refused: what refuses it refuses whoever comes after it, too.
    pub(super) fn polls(&mut self, ring: usize) {
        while let Some(n) = self.lanes.get(ring).and_then(|lane| lane.asking.first().copied()) {
            let Some(event) = self.ask(n) else { return };
            self.change(&[n], |server| {
                server.push(&event);
                server.start(n);
            });
        }
    }

    fn ask(&self, n: usize) -> Option<RolloutEvent> {
        let Plane { pdp, ring, ring_number, sick, .. } = self.planes.get(n)?;
        let lane = self.lanes.get(*ring_number)?;
        let wish = Wish { pdp, ring, members: lane.members, level: LEVEL, attempt: 1 };
        let rollouts = |level| (level == LEVEL).then_some(&self.rollout);
        let running = |_: &Rollout, _: Span| lane.running;
        match grant_where(&self.channel, rollouts, wish, running, None, self.clock(self.now)) {
            Ok(Grant::New { attempt, until }) => Some(RolloutEvent::Granted {
                pdp: pdp.clone(),
                ring: ring.clone(),
                attempt,
                until,
                sick: *sick,
            }),
            _ => None,
        }
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
