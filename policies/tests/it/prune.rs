//! Which levels may leave a channel: only those that nobody can need.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::instruction::{RingLevel, RingState};
use pdp_policies::report::LevelDigest;
use pdp_policies::trust::{Carried, Instructed, ring_state};
use pdp_policies::{
    API_VERSION, At, Channel, Digest, Keep, Kept, Level, Pruning, Span, Withdrawal, dsse, prune, stranded,
};

use crate::hotfix::hotfix;
use crate::vendor::{Vendor, channel, line, now, release};

/// What is asked: levels 1 to 10, the newest two stay, all are old.
struct Question {
    channel: Channel,
    reported: BTreeSet<Level>,
    ceilings: BTreeSet<Level>,
    carried: Vec<Carried>,
    needs: BTreeMap<u32, u32>,
    since: At,
}

impl Question {
    fn new() -> Self {
        let (reported, ceilings) = (BTreeSet::new(), BTreeSet::new());
        let releases: Vec<_> = (1..=10).map(release).collect();
        let (carried, needs, since) = (Vec::new(), BTreeMap::new(), now());
        Self { channel: channel(&releases), reported, ceilings, carried, needs, since }
    }

    fn answer(&self) -> Pruning {
        let (reported, ceilings, carried) = (&self.reported, &self.ceilings, &self.carried);
        let keep = Keep { newest: 2, promoted_since: self.since, reported, ceilings, carried };
        prune(&self.channel, keep, |level| self.needs.get(&level.0).copied().map(Level))
    }

    /// The levels that stay beside the newest two, with their reasons.
    fn kept(&self) -> Vec<(u32, Vec<Kept>)> {
        let kept = self.answer().kept.into_iter().filter(|(level, _)| level.0 < 9);
        kept.map(|(level, reasons)| (level.0, reasons.into_iter().collect())).collect()
    }

    fn withdraw(&mut self, level: u32, fixed_by: Option<u32>) {
        let withdrawal = Withdrawal { at: now(), reason: "bad".into(), fixed_by: fixed_by.map(Level) };
        self.channel.withdrawn.insert(Level(level), withdrawal);
    }
}

#[test]
fn each_reason_keeps_its_level_and_no_other() {
    type Edit = fn(&mut Question);
    type Row = (&'static str, Edit, &'static [(u32, &'static [Kept])]);
    let rows: [Row; 15] = [
        ("nothing", |_| {}, &[]),
        (
            "young",
            |q| q.channel.levels.get_mut(&Level(4)).unwrap().promoted_at = now(),
            &[(4, &[Kept::Young])],
        ),
        ("stop", |q| q.channel.required_stops.extend([Level(5)]), &[(5, &[Kept::RequiredStop])]),
        ("floor", |q| q.channel.floor = Some(Level(3)), &[(3, &[Kept::Floor])]),
        ("reported", |q| q.reported.extend([Level(2)]), &[(2, &[Kept::Reported])]),
        ("ceiling", |q| q.ceilings.extend([Level(7)]), &[(7, &[Kept::Ceiling])]),
        (
            "hotfix that is nowhere else",
            |q| hotfix(&mut q.channel, 5, 4),
            &[
                (4, &[Kept::BaseOf(Level(5))]),
                (5, &[Kept::NotFoldedInto(Level(9)), Kept::NotFoldedInto(Level(10))]),
            ],
        ),
        (
            "hotfix that is in all that stays",
            |q| {
                hotfix(&mut q.channel, 5, 4);
                for level in [9, 10] {
                    q.channel.levels.get_mut(&Level(level)).unwrap().supersedes.insert(Level(5));
                }
            },
            &[],
        ),
        ("withdrawn", |q| q.withdraw(6, Some(7)), &[]),
        (
            "fix of a withdrawn one that runs",
            |q| {
                q.withdraw(6, Some(7));
                q.reported.insert(Level(6));
            },
            &[(6, &[Kept::Reported]), (7, &[Kept::FixOf(Level(6))])],
        ),
        (
            "what superseded one that runs",
            |q| {
                q.reported.insert(Level(3));
                q.channel.levels.get_mut(&Level(4)).unwrap().supersedes.insert(Level(3));
            },
            &[(3, &[Kept::Reported]), (4, &[Kept::Supersedes(Level(3))])],
        ),
        ("step", |q| q.needs.extend([(9, 6), (10, 6)]), &[(8, &[Kept::Step])]),
        (
            "step before a step",
            |q| q.needs.extend([(9, 8), (10, 8), (8, 5)]),
            &[(7, &[Kept::Step]), (8, &[Kept::Step])],
        ),
        (
            "what a retired key counts by",
            |q| q.carried.push(Carried { level: Some(Level(10)), by: [2, 3].map(Level).into() }),
            &[(3, &[Kept::Carries(Some(Level(10)))])],
        ),
        (
            "carried for what goes, too",
            |q| q.carried.push(Carried { level: Some(Level(4)), by: [2, 3].map(Level).into() }),
            &[],
        ),
    ];
    for (name, edit, expected) in rows {
        let mut question = Question::new();
        edit(&mut question);
        let expected: Vec<_> = expected.iter().map(|(level, why)| (*level, why.to_vec())).collect();
        assert_eq!(question.kept(), expected, "{name}");
    }
}

/// A small generator: the same numbers in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(end)).unwrap()
    }
}

#[test]
fn nobody_is_stranded_whatever_is_pruned() {
    let mut numbers = Numbers(7);
    let mut pruned = 0;
    for round in 0..400 {
        let mut question = Question::new();
        for _ in 0..numbers.below(3) {
            question.reported.insert(Level(1 + numbers.below(12)));
        }
        for _ in 0..numbers.below(3) {
            let level = 1 + numbers.below(10);
            question.needs.insert(level, numbers.below(level));
        }
        for _ in 0..numbers.below(3) {
            question.withdraw(1 + numbers.below(10), None);
        }
        if numbers.below(3) == 0 {
            hotfix(&mut question.channel, 4, 3);
            for level in [5, 6, 7, 8, 9, 10] {
                question.channel.levels.get_mut(&Level(level)).unwrap().base = Some(Level(level - 1));
            }
            let holds = 5 + numbers.below(5);
            question.channel.levels.get_mut(&Level(holds)).unwrap().supersedes.insert(Level(4));
        }
        let from = |level: Level| question.needs.get(&level.0).copied().map(Level);
        let everywhere: BTreeSet<Level> =
            question.channel.levels.keys().chain(&question.reported).copied().collect();
        let left = |channel: &Channel| stranded(channel, everywhere.iter().copied(), from);
        let answer = question.answer();
        pruned += answer.gone.len();
        let (before, after) = (left(&question.channel), left(&question.channel.without(&answer.gone)));
        assert!(after.iter().all(|level| before.contains(level)), "{round}: {before:?} {after:?}");
        assert!(answer.gone.is_disjoint(&question.reported), "{round}: what runs stays");
        assert!(question.channel.without(&answer.gone).problems().is_empty(), "{round}: it is whole");
    }
    assert!(pruned > 1000, "{pruned}");
}

#[test]
fn ring_state_may_name_what_was_pruned_and_nothing_that_never_was_promoted() {
    let vendor = Vendor::new();
    let releases: Vec<_> = (1..=3).map(release).collect();
    let whole = channel(&releases);
    let pruned = whole.without(&[Level(1)].into());
    assert_eq!((pruned.pruned_through, pruned.may_be_pruned(Level(1))), (Some(Level(1)), true));
    let followed = |channel: &Channel, level: u32| {
        let catalog = vendor.trusted(&releases[1..], channel, now());
        let named = RingLevel { sha256: Digest::of(b"whatever"), rings: BTreeMap::new() };
        let state = RingState {
            api_version: API_VERSION.into(),
            critical: vec![],
            issued: now(),
            expires: now().plus(Span::from_seconds(3600)),
            line: line(),
            levels: [(Level(level), named)].into(),
            audit_head: None,
        };
        let envelope = vendor.artifact.seal(dsse::RING_STATE, &state);
        matches!(ring_state(&envelope, &catalog, &line(), None, now(), true), Instructed::Followed(..))
    };
    assert!(followed(&pruned, 1), "the director hasn't looked yet");
    assert!(!followed(&whole, 1) && !followed(&pruned, 2) && !followed(&pruned, 4));
}

#[test]
fn only_what_was_promoted_to_a_data_plane_counts_as_installed_there() {
    let mut channel = channel(&(1..=10).map(release).collect::<Vec<_>>());
    hotfix(&mut channel, 10, 9);
    let channel = channel.without(&[Level(3)].into());
    let sha256 = |level: u32| channel.levels.get(&Level(level)).map_or(Digest::of(b"gone"), |it| it.sha256);
    for (organization, level, of, counts) in [
        ("bank", 9, 9, true),
        ("bank", 9, 8, false),
        ("bank", 99, 9, false),
        ("acme", 10, 10, true),
        ("bank", 10, 10, false),
        ("bank", 3, 3, true),
        ("bank", 4, 3, false),
    ] {
        let reported = LevelDigest { level: Level(level), sha256: sha256(of) };
        let found = channel.was_promoted_to(&organization.parse().unwrap(), reported);
        assert_eq!(found, counts, "{organization} {level} with the content of {of}");
    }
}
