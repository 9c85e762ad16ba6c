//! What is offered: superseding, halted, withdrawn levels, required stops.

use std::collections::BTreeMap;

use pdp_policies::rollout::{
    Asker, Cause, Clock, Grant, HaltScope, Outside, Rollout, RolloutEvent, Tally, Wish, grant, offer,
    ring_shares, step, superseded,
};
use pdp_policies::{At, Channel, Level, ObstacleCode, Percent, RingPlan, Span, Tempo, Withdrawal};

use super::world::{pdp, promotion, ring};
use crate::vendor::{line, now};

/// A channel with levels 41 to 43 and rollouts that opened these rings.
pub(super) struct Levels {
    pub(super) channel: Channel,
    pub(super) rollouts: BTreeMap<Level, Rollout>,
    pub(super) now: At,
}

impl Levels {
    pub(super) fn new(open: &[(u32, &[&str])]) -> Self {
        let mut channel = Channel::new(line(), RingPlan::shipped().unwrap());
        let mut rollouts = BTreeMap::new();
        for (level, rings) in open {
            let promotion = promotion(&channel.plan, Tempo::Emergency, Level(*level));
            channel.levels.insert(Level(*level), promotion);
            let mut rollout = Rollout::default();
            rollout.apply(now(), &RolloutEvent::Created {});
            for name in *rings {
                rollout.apply(now(), &RolloutEvent::RingOpened { ring: ring(name) });
            }
            rollouts.insert(Level(*level), rollout);
        }
        Self { channel, rollouts, now: now().plus(Span::from_seconds(86_400)) }
    }

    pub(super) fn halt(&mut self, level: u32, scope: HaltScope) {
        let cause = Cause::Person { by: "ada".into(), reason: "x".into() };
        let rollout = self.rollouts.get_mut(&Level(level)).unwrap();
        rollout.apply(self.now, &RolloutEvent::Halted { scope, cause });
    }

    pub(super) fn withdraw(&mut self, level: u32) {
        let withdrawal = Withdrawal { at: self.now, reason: "x".into(), fixed_by: None };
        self.channel.withdrawn.insert(Level(level), withdrawal);
    }

    pub(super) fn offered(&self, name: &str, organization: &str, current: Option<u32>) -> Option<u32> {
        let (name, organization) = (ring(name), organization.parse().unwrap());
        let asker = Asker { ring: &name, organization: Some(&organization), current: current.map(Level) };
        offer(&self.channel, |level| self.rollouts.get(&level), asker, self.now).map(|c| c.level.0)
    }

    pub(super) fn granted(&self, level: u32, name: &str) -> Result<(), ObstacleCode> {
        let (pdp, ring) = (pdp("acme"), ring(name));
        let wish = Wish { pdp: &pdp, ring: &ring, members: 10, level: Level(level), attempt: 1 };
        let clock = Clock { now: self.now, listening: now() };
        let rollouts = |level| self.rollouts.get(&level);
        grant(&self.channel, rollouts, wish, |_| None, None, clock).map(|grant| match grant {
            Grant::New { .. } | Grant::Again { .. } => (),
        })
    }

    pub(super) fn share(&self, level: u32, name: &str) -> Option<(Percent, bool)> {
        let shares = ring_shares(&self.channel, Level(level), |level| self.rollouts.get(&level), self.now);
        shares.get(&ring(name)).map(|share| (share.percent, share.halted))
    }
}

const BOTH: &[(u32, &[&str])] =
    &[(41, &["canary", "early", "general"]), (42, &["canary", "early"]), (43, &["canary"])];

#[test]
fn each_ring_is_offered_the_highest_level_that_stands_for_it() {
    let levels = Levels::new(BOTH);
    assert_eq!(levels.offered("canary", "acme", Some(41)), Some(43));
    assert_eq!(levels.offered("early", "acme", Some(41)), Some(42));
    assert_eq!(levels.offered("general", "acme", Some(40)), Some(41));
    assert_eq!(levels.offered("regulated", "acme", Some(40)), None);
    let mut early = Levels::new(BOTH);
    early.now = now().plus(Span::from_seconds(60));
    assert_eq!(early.offered("early", "acme", Some(41)), None, "not before the signed time");
}

#[test]
fn canaries_of_a_halted_level_get_the_highest_that_is_not_halted_for_them() {
    for scope in [HaltScope::Rollout {}, HaltScope::Ring { ring: ring("canary") }] {
        let mut levels = Levels::new(BOTH);
        levels.halt(43, scope);
        assert_eq!(levels.offered("canary", "acme", Some(41)), Some(42));
        assert_eq!(levels.granted(43, "canary"), Err(ObstacleCode::Halted));
        assert_eq!(levels.granted(42, "canary"), Ok(()));
        levels.halt(42, HaltScope::Rollout {});
        assert_eq!(levels.offered("canary", "acme", Some(41)), Some(41));
    }
    let mut one = Levels::new(BOTH);
    one.halt(43, HaltScope::Organization { organization: "acme".parse().unwrap() });
    assert_eq!(one.offered("canary", "acme", Some(41)), Some(42));
    assert_eq!(one.offered("canary", "bank", Some(41)), Some(43));
}

#[test]
fn withdrawn_and_halted_levels_are_never_offered() {
    let mut levels = Levels::new(BOTH);
    assert_eq!(levels.share(42, "early"), Some((10.try_into().unwrap(), false)));
    levels.halt(42, HaltScope::Ring { ring: ring("early") });
    assert_eq!(levels.share(42, "early"), Some((10.try_into().unwrap(), true)), "the share is kept");
    assert_eq!(levels.offered("early", "acme", Some(40)), Some(41));
    levels.withdraw(41);
    assert_eq!(levels.offered("early", "acme", Some(40)), None);
    assert_eq!(levels.offered("general", "acme", Some(40)), None);
    assert_eq!(levels.share(41, "general"), None);
    assert_eq!(levels.granted(41, "general"), Err(ObstacleCode::RingNotOpenYet));
}

#[test]
fn a_pause_tells_those_without_a_server_to_hold() {
    let mut levels = Levels::new(BOTH);
    let paused = RolloutEvent::Paused { by: "ada".into(), reason: "x".into() };
    levels.rollouts.get_mut(&Level(42)).unwrap().apply(now(), &paused);
    assert_eq!(levels.share(42, "early"), Some((10.try_into().unwrap(), true)));
}

#[test]
fn a_required_stop_comes_first_and_binds_no_first_installation() {
    let mut levels = Levels::new(&[(41, &["canary"]), (42, &[]), (43, &["canary"])]);
    levels.channel.required_stops.insert(Level(42));
    assert_eq!(levels.offered("canary", "acme", Some(41)), Some(42), "below the ceiling it can be started");
    assert_eq!(levels.granted(42, "canary"), Ok(()));
    assert!(levels.share(42, "canary").is_some());
    assert_eq!(levels.offered("canary", "acme", Some(42)), Some(43));
    assert_eq!(levels.offered("canary", "acme", None), Some(43));
    levels.halt(42, HaltScope::Rollout {});
    assert_eq!(levels.offered("canary", "acme", Some(41)), Some(41), "a halted stop is no way through");
    assert_eq!(levels.granted(42, "canary"), Err(ObstacleCode::Halted));
}

#[test]
fn a_level_below_a_ceiling_is_startable_there_if_nothing_halts_it_on_its_way() {
    let mut levels = Levels::new(&[(42, &["canary"]), (43, &["canary", "early"])]);
    assert_eq!(levels.granted(42, "early"), Ok(()));
    assert_eq!(levels.granted(42, "general"), Err(ObstacleCode::RingNotOpenYet));
    let early = levels.now;
    levels.now = now().plus(Span::from_seconds(60));
    assert_eq!(levels.granted(42, "early"), Err(ObstacleCode::RingNotOpenYet), "its own time is signed");
    levels.now = early;
    let later = early.plus(Span::from_seconds(1));
    let own = &mut levels.channel.levels.get_mut(&Level(42)).unwrap().opens_at;
    own.insert(ring("early"), later);
    assert_eq!(levels.granted(42, "early"), Err(ObstacleCode::RingNotOpenYet), "not by the ceiling's time");
    assert_eq!(levels.share(42, "early"), None);
    levels.now = later;
    assert_eq!(levels.granted(42, "early"), Ok(()));
    levels.halt(42, HaltScope::Ring { ring: ring("canary") });
    assert_eq!(levels.granted(42, "early"), Err(ObstacleCode::RingNotOpenYet), "bad news travels");
    let mut ceiling = Levels::new(&[(42, &["canary"]), (43, &["canary", "early"])]);
    ceiling.halt(43, HaltScope::Rollout {});
    assert_eq!(ceiling.granted(42, "early"), Err(ObstacleCode::RingNotOpenYet), "a halted ceiling is none");
    let mut withdrawn = Levels::new(&[(42, &["canary"]), (43, &["canary", "early"])]);
    withdrawn.withdraw(43);
    assert_eq!(withdrawn.granted(42, "early"), Err(ObstacleCode::RingNotOpenYet), "nor is a withdrawn one");
    assert_eq!(withdrawn.offered("early", "acme", Some(41)), None);
}

#[test]
fn a_superseded_level_opens_no_further_ring_and_stays_where_it_is_open() {
    let mut levels = Levels::new(&[(42, &[]), (43, &["canary"])]);
    assert!(!superseded(&levels.channel, Level(42)));
    levels.channel.levels.get_mut(&Level(43)).unwrap().supersedes.insert(Level(42));
    let gone = superseded(&levels.channel, Level(42));
    assert!(gone && !superseded(&levels.channel, Level(43)));
    let due = |levels: &Levels, superseded| {
        let (plan, promotion) = (&levels.channel.plan, &levels.channel.levels[&Level(42)]);
        let outside = Outside { braked: false, superseded };
        step(plan, promotion, &levels.rollouts[&Level(42)], &Tally::default(), outside, levels.now)
    };
    assert_eq!(due(&levels, true), []);
    assert_eq!(due(&levels, false), [RolloutEvent::RingOpened { ring: ring("canary") }]);
    assert_eq!(levels.granted(42, "canary"), Ok(()), "below the ceiling");
    levels.withdraw(43);
    assert!(!superseded(&levels.channel, Level(42)), "what is withdrawn takes nobody's place");
}
