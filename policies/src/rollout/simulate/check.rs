//! The short ways of the simulation lead where the long ones do: after each step of each tick its tally is that of the
//! server's own count of everybody, and nobody who didn't ask would have been granted a start.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::fleet::{Between, Crowd, Fleet, Windows};
use super::server::{LEVEL, Server, begin};
use super::{PerMille, REACTION, Trial, plane, simulate};
use crate::plan::{Percent, RingPlan, Tempo};
use crate::rollout::flight::running;
use crate::rollout::{Tally, Wish, grant, tally};
use crate::time::{At, Span};

impl Server<'_> {
    /// After a step.
    pub(super) fn check_counts(&self) {
        let (plan, promotion) = (&self.channel.plan, &self.channel.levels[&LEVEL]);
        let rows = self.planes.iter().map(|plane| self.row(plane, self.now, !plane.is_open(self.now)));
        let all = tally(plan, promotion, &self.rollout, LEVEL, rows, self.clock(self.now));
        assert_eq!(self.closed(self.tally.clone()), self.closed(all), "at {}", self.now);
        for (ring, lane) in self.rings.iter().zip(&self.lanes) {
            let silence_after = plan.pace(promotion.tempo, ring).unwrap().silence_after;
            let clock = self.clock(self.now);
            let count = running(&self.rollout, ring, |pdp| self.heard(pdp), silence_after, clock);
            assert_eq!(lane.running, count, "in flight in {ring} at {}", self.now);
        }
    }

    /// After all polls of a tick.
    pub(super) fn check_grants(&self) {
        let may = |plane: &&plane::Plane| plane.began.is_none() && !plane.offline && plane.is_open(self.now);
        let starts = self.planes.iter().filter(|plane| plane.began == Some(self.now));
        starts.for_each(|plane| assert!(plane.is_open(self.now), "{} started at {}", plane.pdp, self.now));
        for plane in self.planes.iter().filter(may) {
            let members = self.lanes[plane.ring_number].members;
            let wish = Wish { pdp: &plane.pdp, ring: &plane.ring, members, level: LEVEL, attempt: 1 };
            let rollouts = |level| (level == LEVEL).then_some(&self.rollout);
            let clock = self.clock(self.now);
            let granted = grant(&self.channel, rollouts, wish, |pdp| self.heard(pdp), None, clock);
            assert!(granted.is_err(), "{} would start at {}", plane.pdp, self.now);
        }
    }

    fn heard(&self, pdp: &crate::names::PdpId) -> Option<At> {
        let plane = self.planes.iter().find(|plane| plane.pdp == *pdp)?;
        plane.last_heard(self.now).map(|heard| begin().plus(plane::span(heard)))
    }

    /// Before a ring opens windows decide nothing, and aren't followed.
    fn closed(&self, mut tally: Tally) -> Tally {
        for (ring, census) in &mut tally.rings {
            if !self.rollout.rings.contains_key(ring) {
                census.waiting += std::mem::take(&mut census.deferred);
            }
        }
        tally
    }
}

fn crowd(name: &'static str) -> impl Strategy<Value = Crowd> {
    let windows = (0..=100u8, 1..30u32, 1..100u32);
    (1..6u32, 1..5u32, (0..40u8, 0..40u8), proptest::option::of(windows)).prop_map(
        move |(organizations, each, (offline, mute), some)| {
            let windows = some.map(|(share, hours, open)| Windows {
                share: share.try_into().unwrap(),
                every: Span::from_seconds(hours * 3600),
                open: Span::from_seconds((hours * 36 * open).max(600)),
            });
            let (name, offline, mute) =
                (name.parse().unwrap(), offline.try_into().unwrap(), mute.try_into().unwrap());
            Crowd { name, organizations, data_planes: each, offline, mute, windows }
        },
    )
}

fn fleet() -> impl Strategy<Value = Fleet> {
    let rings = (crowd("canary"), crowd("early"), crowd("general"), crowd("regulated"));
    (rings, 1..11u32, 0..30u32, 0..60u32).prop_map(|(rings, poll, least, more)| {
        let (poll_every, minutes) = (Span::from_seconds(poll * 60), |n| Span::from_seconds(n * 60));
        let upgrade = Between { least: minutes(least), most: minutes(least + more) };
        let (canary, early, general, regulated) = rings;
        Fleet { poll_every, upgrade, rings: vec![canary, early, general, regulated] }
    })
}

fn share() -> impl Strategy<Value = PerMille> {
    let tenths = prop_oneof![Just(0), 0..=1000u16, 0..20u16];
    tenths.prop_map(|tenths| format!("{tenths}‰").parse().unwrap())
}

fn trial() -> impl Strategy<Value = Trial> {
    let times = (0..1000u32, 0..600u32, proptest::option::of(0..1000u32));
    (any::<u64>(), share(), share(), share(), share(), times).prop_map(
        |(seed, breaks, cut_off, sick, by_chance, (from, after, acknowledge))| {
            let minutes = |n| Span::from_seconds(n * 60);
            let (from, after, acknowledge) = (minutes(from), minutes(after), acknowledge.map(minutes));
            Trial { seed, breaks, from, after, cut_off, sick, by_chance, acknowledge, reaction: REACTION }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_simulation_counts_as_the_server_does(fleet in fleet(), trial in trial(), budget in 0..=100u8) {
        let mut plan = RingPlan::shipped().unwrap();
        let budget = Percent::try_from(budget).unwrap();
        plan.rings.iter_mut().skip(1).for_each(|rules| rules.failure_budget = budget);
        prop_assert_eq!(fleet.problems(&plan), Vec::<String>::new());
        simulate(&plan, Tempo::Emergency, &fleet, &trial).unwrap();
    }
}
