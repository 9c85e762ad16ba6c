//! The door: what an instruction opens, and what it can't.

use std::collections::BTreeMap;

use pdp_policies::gate::{Authority, Instruction, Situation, Verdict, decide, effective_ring};
use pdp_policies::instruction::{Assignment, RingLevel, RingShare, RingState};
use pdp_policies::policy::Policy;
use pdp_policies::report::LevelDigest;
use pdp_policies::trust::{self, Catalog, Instructed, Verified};
use pdp_policies::{
    API_VERSION, At, Channel, Digest, Level, ObstacleCode, Percent, Ring, RingPlan, Span, Withdrawal, dsse,
};

use crate::instruction::{assignment, pdp};
use crate::vendor::{NOW, Vendor, channel, line, now, release};

struct World {
    vendor: Vendor,
    catalog: Verified<Catalog>,
}

/// Levels 41 and 42 are promoted; the channel itself opens nothing; `general` may open since an hour.
fn world(edit: impl FnOnce(&mut Channel)) -> World {
    let vendor = Vendor::new();
    let releases = [release(41), release(42)];
    let mut channel = channel(&releases);
    channel.levels.values_mut().for_each(|promotion| promotion.open_to.clear());
    edit(&mut channel);
    let catalog = vendor.trusted(&releases, &channel, now());
    World { vendor, catalog }
}

impl World {
    fn assigned(&self, edit: impl FnOnce(&mut Assignment)) -> Verified<Assignment> {
        let mut document = assignment(&self.catalog, 42);
        edit(&mut document);
        let envelope = self.vendor.artifact.seal(dsse::ASSIGNMENT, &document);
        match trust::assignment(&envelope, &self.catalog, &pdp(), None, now(), true) {
            Instructed::Followed(followed, _) => *followed,
            other => panic!("{other:?}"),
        }
    }

    fn ring_state(&self, share: RingShare) -> Verified<RingState> {
        let sha256 = self.catalog.channel(&line()).unwrap().levels[&Level(42)].sha256;
        let rings = [("general".parse().unwrap(), share)].into();
        let state = RingState {
            api_version: API_VERSION.into(),
            critical: vec![],
            issued: now(),
            expires: now().plus(Span::from_seconds(86_400)),
            line: line(),
            levels: [(Level(42), RingLevel { sha256, rings })].into(),
            audit_head: None,
        };
        let envelope = self.vendor.artifact.seal(dsse::RING_STATE, &state);
        match trust::ring_state(&envelope, &self.catalog, &line(), None, now(), true) {
            Instructed::Followed(followed, _) => *followed,
            other => panic!("{other:?}"),
        }
    }

    fn decide(&self, ring: &str, instruction: Instruction<'_>) -> Verdict {
        self.decide_after(None, ring, instruction)
    }

    /// Level 42 failed here, at this attempt, above level 41.
    fn decide_after(&self, failed: Option<u32>, ring: &str, instruction: Instruction<'_>) -> Verdict {
        let ring: Ring = ring.parse().unwrap();
        let sha256 = self.catalog.channel(&line()).unwrap().levels[&Level(42)].sha256;
        let quarantined: BTreeMap<_, _> = failed.map(|attempt| (sha256, attempt)).into_iter().collect();
        // Nothing in between that could start instead.
        let level = if failed.is_some() { Level(41) } else { Level(40) };
        let situation = Situation {
            pdp: &pdp(),
            line: &line(),
            ring: &ring,
            installed: Some(LevelDigest { level, sha256: Digest::of(b"installed") }),
            quarantined: &quarantined,
            pdp_sync: &"0.1.0".parse().unwrap(),
            itself: None,
            kubernetes: None,
            flux: None,
            found: &[],
            instruction,
            approvals: &[],
            uncounted: &[],
            others: &[],
            usual_length: None,
            policy_before: None,
        };
        decide(&self.catalog, &Policy::default(), &situation, now()).unwrap()
    }
}

/// What waits for a grant, and what is halted.
pub(crate) fn words() -> Vec<Verdict> {
    let world = world(|_| {});
    let ungranted = world.assigned(|a| a.start = None);
    let halted = world.ring_state(RingShare { percent: 100.try_into().unwrap(), halted: true, attempt: 1 });
    vec![
        world.decide("general", Instruction::Server(Some(&ungranted))),
        world.decide("general", Instruction::RingState(Some(&halted))),
    ]
}

fn obstacles(verdict: Verdict) -> Vec<ObstacleCode> {
    match verdict {
        Verdict::WaitUntil(_, w) | Verdict::NeedsApproval(w) | Verdict::Held(w) | Verdict::NeedsGrant(w) => {
            w.obstacles.iter().map(|o| o.code).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_grant_starts_exactly_what_it_names() {
    let world = world(|_| {});
    let granted = world.assigned(|_| {});
    let Verdict::Proceed(permit) = world.decide("general", Instruction::Server(Some(&granted))) else {
        panic!()
    };
    assert!(matches!(permit.authority(), Authority::Grant { attempt: 1, .. }));
    assert_eq!(permit.descriptor().release.level, Level(42));
    let edits: [fn(&mut Assignment); 4] = [
        |a| a.start = None,
        |a| a.start.as_mut().unwrap().sha256 = Digest::of(b"evil"),
        |a| a.start.as_mut().unwrap().level = Level(41),
        |a| a.start.as_mut().unwrap().until = now(),
    ];
    for (n, edit) in edits.into_iter().enumerate() {
        let assignment = world.assigned(edit);
        let verdict = world.decide("general", Instruction::Server(Some(&assignment)));
        assert!(matches!(&verdict, Verdict::NeedsGrant(w) if w.level == Level(42)), "{n}: {verdict:?}");
    }
}

#[test]
fn where_a_level_failed_only_a_later_attempt_starts_it() {
    use ObstacleCode::Quarantined;
    let open = world(|channel| {
        let all = [("general".parse().unwrap(), Percent::ALL)].into();
        channel.levels.get_mut(&Level(42)).unwrap().open_to = all;
    });
    for world in [world(|_| {}), open] {
        let attempt = |offered: u32, granted: Option<u32>| {
            world.assigned(|a| {
                a.attempt = offered;
                match granted {
                    Some(attempt) => a.start.as_mut().unwrap().attempt = attempt,
                    None => a.start = None,
                }
            })
        };
        let decide = |failed: u32, word: &Verified<Assignment>| {
            world.decide_after(Some(failed), "general", Instruction::Server(Some(word)))
        };
        assert!(obstacles(decide(1, &attempt(1, None))).contains(&Quarantined));
        assert!(obstacles(decide(1, &attempt(1, Some(1)))).contains(&Quarantined));
        assert!(matches!(decide(1, &attempt(2, None)), Verdict::NeedsGrant(_)));
        assert!(obstacles(decide(2, &attempt(2, Some(2)))).contains(&Quarantined));
        assert!(obstacles(decide(1, &attempt(2, Some(1)))).contains(&Quarantined), "an old grant");
        let Verdict::Proceed(permit) = decide(1, &attempt(2, Some(2))) else { panic!() };
        assert_eq!(permit.authority().attempt(), 2);
    }
}

#[test]
fn without_a_valid_word_only_the_channels_own_door_is_open() {
    let closed = world(|_| {});
    let open = world(|channel| {
        let all = [("general".parse().unwrap(), Percent::ALL)].into();
        channel.levels.get_mut(&Level(42)).unwrap().open_to = all;
    });
    for nothing in [Instruction::Server(None), Instruction::RingState(None), Instruction::Channel] {
        assert_eq!(obstacles(closed.decide("general", nothing)), [ObstacleCode::RingNotOpenYet]);
        let Verdict::Proceed(permit) = open.decide("general", nothing) else { panic!() };
        assert!(matches!(permit.authority(), Authority::OpenTo { .. }));
    }
    let held = open.assigned(|a| (a.ceiling, a.hold) = (None, vec![ObstacleCode::Stopped]));
    let verdict = open.decide("general", Instruction::Server(Some(&held)));
    assert!(matches!(verdict, Verdict::Proceed(_)), "people's door stands whatever a server says");
}

#[test]
fn no_director_opens_a_ring_before_the_time_that_people_signed() {
    let world = world(|channel| {
        for promotion in channel.levels.values_mut() {
            promotion.opens_at.insert("canary".parse().unwrap(), now());
            promotion.opens_at.insert("general".parse().unwrap(), At::from_unix(NOW + 600));
        }
    });
    let granted = world.assigned(|_| {});
    let verdict = world.decide("general", Instruction::Server(Some(&granted)));
    assert!(matches!(&verdict, Verdict::WaitUntil(at, _) if at.unix() == NOW + 600), "{verdict:?}");
    let all = world.ring_state(RingShare { percent: Percent::ALL, halted: false, attempt: 1 });
    let verdict = world.decide("general", Instruction::RingState(Some(&all)));
    assert_eq!(obstacles(verdict), [ObstacleCode::RingNotOpenYet]);
    let moved = world.assigned(|a| a.ring = "canary".parse().unwrap());
    let verdict = world.decide("general", Instruction::Server(Some(&moved)));
    assert_eq!(obstacles(verdict), [ObstacleCode::RingNotOpenYet], "nor moves a PDP to an earlier ring");
}

#[test]
fn the_later_ring_counts() {
    let world = world(|_| {});
    let plan = RingPlan::shipped().unwrap();
    let own: Ring = "early".parse().unwrap();
    for (theirs, effective) in
        [("canary", "early"), ("early", "early"), ("regulated", "regulated"), ("x", "early")]
    {
        let assignment = world.assigned(|a| a.ring = theirs.parse().unwrap());
        let ring = effective_ring(&plan, &own, Instruction::Server(Some(&assignment)));
        assert_eq!(ring.as_str(), effective, "{theirs}");
    }
}

#[test]
fn under_a_withdrawn_ceiling_the_next_lower_level_stays_reachable() {
    let world = world(|channel| {
        let withdrawal = Withdrawal { at: now(), reason: "bad".into(), fixed_by: None };
        channel.withdrawn.insert(Level(42), withdrawal);
    });
    let assignment = world.assigned(|_| {});
    let verdict = world.decide("general", Instruction::Server(Some(&assignment)));
    assert!(matches!(&verdict, Verdict::NeedsGrant(w) if w.level == Level(41)), "{verdict:?}");
}

#[test]
fn what_the_ceiling_leaves_open_is_shown_rather_than_what_lies_above() {
    let world = world(|_| {});
    let at_41 = world.assigned(|a| {
        a.hold = vec![ObstacleCode::Halted];
        *a = Assignment { start: None, ceiling: assignment(&world.catalog, 41).ceiling, ..a.clone() };
    });
    let verdict = world.decide("general", Instruction::Server(Some(&at_41)));
    assert!(matches!(&verdict, Verdict::Held(w) if w.level == Level(41)), "{verdict:?}");
    assert_eq!(obstacles(verdict), [ObstacleCode::Halted]);
}

#[test]
fn ring_state_opens_to_its_share_and_halts() {
    let world = world(|_| {});
    let share = |percent: u8, halted| RingShare { percent: percent.try_into().unwrap(), halted, attempt: 1 };
    let decide = |share| {
        let state = world.ring_state(share);
        world.decide("general", Instruction::RingState(Some(&state)))
    };
    assert!(matches!(decide(share(100, false)), Verdict::Proceed(_)));
    assert_eq!(obstacles(decide(share(100, true))), [ObstacleCode::Halted]);
    assert_eq!(obstacles(decide(share(0, false))), [ObstacleCode::RingNotOpenYet]);
}
