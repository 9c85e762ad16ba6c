//! A refusal says whom it refuses: who plays all data planes of a ring stops asking at one that is about the ring, and goes
//! on after one that is about the asker.

#![allow(clippy::unwrap_used)]

use super::server::Server;
use super::{Fleet, Trial, plane};
use crate::codes::ObstacleCode;
use crate::names::{PdpId, Ring};
use crate::plan::{RingPlan, Tempo};
use crate::rollout::grant::Refusal;
use crate::rollout::{Cause, HaltScope, RolloutEvent};
use crate::time::At;
use crate::yaml;

const FLEET: &str =
    "upgrade: {least: 8m, most: 25m}\nrings:\n  - {name: canary, organizations: 4, dataPlanes: 2}\n";

/// Looks at a server whose canaries may start, after an event about the first in the queue, its ring or everybody.
fn after<T>(
    event: impl Fn(&PdpId, &PdpId) -> Option<RolloutEvent>,
    look: impl FnOnce(&mut Server<'_>) -> T,
) -> T {
    let (plan, trial) = (RingPlan::shipped().unwrap(), Trial::default());
    let rings: Vec<Ring> = plan.rings.iter().map(|rules| rules.name.clone()).collect();
    let fleet: Fleet = yaml::read(FLEET).unwrap();
    let planes = plane::planes(&fleet, &rings, &trial).unwrap();
    let event = event(&planes[0].pdp, &planes[1].pdp);
    let mut server = Server::new(&plan, &rings, Tempo::Emergency, planes, &trial, 60).unwrap();
    server.settle();
    event.iter().for_each(|event| server.push(event));
    look(&mut server)
}

/// What the first in the queue is told.
fn refused(event: impl Fn(&PdpId, &PdpId) -> Option<RolloutEvent>) -> Option<Refusal> {
    after(event, |server| server.ask(0).unwrap().err())
}

fn own(first: &PdpId) -> Option<RolloutEvent> {
    halted(HaltScope::Organization { organization: first.organization.clone() })
}

fn halted(scope: HaltScope) -> Option<RolloutEvent> {
    let cause = Cause::Person { by: "somebody".to_owned(), reason: "a test".to_owned() };
    Some(RolloutEvent::Halted { scope, cause })
}

#[test]
fn a_refusal_says_whether_it_is_about_the_ring_or_the_asker() {
    let canary: Ring = "canary".parse().unwrap();
    let (by, reason) = (|| "somebody".to_owned(), || "a test".to_owned());
    assert_eq!(refused(|_, _| None), None, "it may start");
    let ring = refused(|_, _| halted(HaltScope::Ring { ring: canary.clone() }));
    assert_eq!(ring, Some(Refusal::Ring(ObstacleCode::Halted)));
    let all = refused(|_, _| halted(HaltScope::Rollout {}));
    assert_eq!(all, Some(Refusal::Ring(ObstacleCode::Halted)));
    let own = refused(|first, _| own(first));
    assert_eq!(own, Some(Refusal::Asker(ObstacleCode::Halted)));
    let paused = refused(|_, _| Some(RolloutEvent::Paused { by: by(), reason: reason() }));
    assert_eq!(paused, Some(Refusal::Ring(ObstacleCode::NoGrant)));
    let skipped =
        refused(|own, _| Some(RolloutEvent::Skipped { pdp: own.clone(), by: by(), reason: reason() }));
    assert_eq!(skipped, Some(Refusal::Asker(ObstacleCode::NoGrant)));
    let full = refused(|_, other| {
        let (pdp, ring, until) = (other.clone(), canary.clone(), At::from_unix(3600));
        Some(RolloutEvent::Granted { pdp, ring, attempt: 1, until, sick: false })
    });
    assert_eq!(full, Some(Refusal::Ring(ObstacleCode::NoGrant)), "the first wave counts one head");
}

#[test]
fn who_comes_after_one_that_is_refused_for_itself_is_asked() {
    let began = |server: &mut Server<'_>| {
        server.polls(0);
        server.check_grants();
        server.planes.iter().map(|plane| plane.began.is_some()).collect::<Vec<_>>()
    };
    let some = after(|first, _| own(first), began);
    assert!(!some[0] && some.iter().filter(|began| **began).count() == 1, "{some:?}");
    let first = after(|_, _| None, began);
    assert!(first[0] && first.iter().filter(|began| **began).count() == 1, "{first:?}");
}
