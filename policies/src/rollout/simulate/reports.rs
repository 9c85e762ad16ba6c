//! Ends of upgrades, as data planes report them, and the silence of those who can't.

use super::plane::{End, Plane};
use super::queue::Due;
use super::server::{LEVEL, Server, says};
use crate::report::ReportState;
use crate::rollout::{Heard, Wellness, hear};

impl Server<'_> {
    pub(super) fn reports(&mut self) -> bool {
        let mut ended = false;
        while let Some((n, due)) = self.ends.pop(self.now) {
            match due {
                Due::End => ended |= self.end(n),
                _ => self.fall_silent(n),
            }
        }
        ended
    }

    /// What has ended is reported, by whoever still can.
    fn end(&mut self, n: usize) -> bool {
        let trial = self.trial;
        let Some(plane) = self.planes.get(n) else { return false };
        let Some((at, end)) = plane.due(trial, self.now) else { return false };
        self.point.end(plane.ring_number, plane.end, end);
        // Until then it was heard at every poll, though nothing made the clock stop there.
        let heard = at - at % self.poll;
        self.change(&[n], |server| server.note_end(n, end, heard));
        let Some(plane) = self.planes.get(n) else { return true };
        if end == End::Silent {
            let since = plane.began.unwrap_or_default().max(heard);
            self.ends.push(since + self.silence_after(&plane.ring), n, Due::Silence);
        }
        if let Some((at, _)) = plane.next_end(trial) {
            self.ends.push(at, n, Due::End);
        }
        true
    }

    fn note_end(&mut self, n: usize, end: End, heard: i64) {
        let Some(plane) = self.planes.get_mut(n) else { return };
        if plane.talks() {
            plane.heard = heard;
        }
        plane.end = Some(end);
        let state = match end {
            End::Healthy => ReportState::Healthy,
            End::Failed | End::Sick | End::Unlucky => ReportState::Failed,
            End::Silent => return,
        };
        if plane.talks() {
            self.hear(n, state);
            self.land(n);
        }
    }

    fn hear(&mut self, n: usize, state: ReportState) {
        let (target, at) = (says(state), self.at());
        let Some(Plane { pdp, ring, .. }) = self.planes.get(n) else { return };
        let heard = Heard { pdp, ring, issued: at, target: &target, last: None, wellness: Wellness::Unknown };
        let Some(promotion) = self.channel.levels.get(&LEVEL) else { return };
        let events = hear(&self.channel, promotion, Some(&self.rollout), heard, at);
        events.unwrap_or_default().iter().for_each(|event| self.push(event));
    }

    fn fall_silent(&mut self, n: usize) {
        self.change(&[n], |server| {
            let mute = server.planes.get(n).is_some_and(|plane| plane.mute && plane.flying);
            server.land(n);
            if mute {
                server.go_unheard(n);
            }
        });
    }

    /// It isn't in flight any more.
    fn land(&mut self, n: usize) {
        let Some(plane) = self.planes.get_mut(n).filter(|plane| plane.flying) else { return };
        plane.flying = false;
        if let Some(lane) = self.lanes.get_mut(plane.ring_number) {
            lane.running.flying = lane.running.flying.saturating_sub(1);
        }
    }

    /// It was never heard, and isn't waited for any longer.
    fn go_unheard(&mut self, n: usize) {
        let ring = self.planes.get(n).map(|plane| plane.ring_number);
        if let Some(lane) = ring.and_then(|ring| self.lanes.get_mut(ring)) {
            lane.running.mute += 1;
        }
    }
}
