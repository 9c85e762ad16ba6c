//! Nobody is stranded by a promotion.

use pdp_policies::{Channel, Level, Withdrawal, stranded};

use crate::hotfix::hotfix;
use crate::vendor::{channel, now, release};

const NOBODY: [u32; 0] = [];

/// Levels 41 to 45 with what each needs, which are withdrawn, and where everybody has to stop.
fn left_behind(needs: &[(u32, u32)], withdrawn: &[u32], stops: &[u32]) -> Vec<u32> {
    left_in(channel(&[41, 42, 43, 44, 45].map(release)), &[], needs, withdrawn, stops)
}

/// The same in another channel, with further levels that are reported.
fn left_in(
    mut channel: Channel,
    reported: &[u32],
    needs: &[(u32, u32)],
    withdrawn: &[u32],
    stops: &[u32],
) -> Vec<u32> {
    for level in withdrawn {
        let withdrawal = Withdrawal { at: now(), reason: "bad".into(), fixed_by: None };
        channel.withdrawn.insert(Level(*level), withdrawal);
    }
    channel.required_stops = stops.iter().copied().map(Level).collect();
    let from = |level: Level| needs.iter().find(|(of, _)| *of == level.0).map(|(_, needed)| Level(*needed));
    stranded(&channel, reported.iter().copied().map(Level), from).into_iter().map(|level| level.0).collect()
}

#[test]
fn every_level_needs_a_way_to_the_newest() {
    for (needs, withdrawn, stops, expected) in [
        (&[][..], &[][..], &[][..], &[][..]),
        (&[(45, 43)], &[], &[], &[]),
        (&[(45, 44), (44, 43)], &[], &[], &[]),
        (&[(45, 44), (44, 43), (43, 42)], &[43], &[], &[41, 42]),
        (&[(45, 44)], &[44], &[], &[41, 42, 43]),
        (&[], &[], &[43], &[]),
        (&[], &[43], &[43], &[41, 42]),
        (&[(43, 42)], &[], &[43], &[]),
        (&[(43, 42)], &[42], &[43], &[41]),
        (&[(45, 44)], &[45], &[], &[]),
    ] {
        assert_eq!(left_behind(needs, withdrawn, stops), expected, "{needs:?} {withdrawn:?} {stops:?}");
    }
}

#[test]
fn levels_that_are_only_reported_need_a_way_too() {
    let left = |reported: &[u32], needs: &[(u32, u32)]| {
        left_in(channel(&[41, 42].map(release)), reported, needs, &[], &[])
    };
    assert_eq!(left(&[38, 41], &[]), NOBODY);
    assert_eq!(left(&[38, 40, 41], &[(42, 40), (41, 40)]), [38]);
    assert_eq!(left(&[38], &[(42, 41), (41, 40)]), [38]);
    assert_eq!(left(&[43], &[(42, 41)]), NOBODY, "above the newest it waits for what comes next");
}

#[test]
fn a_hotfix_has_to_be_in_what_comes_after_it() {
    let channel = |superseding: &[u32], base: u32| {
        let mut channel = channel(&[41, 42, 43, 44].map(release));
        hotfix(&mut channel, 42, 41);
        for level in superseding {
            channel.levels.get_mut(&Level(*level)).unwrap().supersedes.insert(Level(42));
        }
        channel.levels.get_mut(&Level(44)).unwrap().base = Some(Level(base));
        channel
    };
    let left =
        |channel, needs: &[(u32, u32)], withdrawn: &[u32]| left_in(channel, &[], needs, withdrawn, &[]);
    assert_eq!(left(channel(&[], 43), &[], &[]), [42]);
    assert_eq!(left(channel(&[43], 43), &[], &[]), NOBODY, "44 is made of it");
    assert_eq!(left(channel(&[43], 41), &[], &[]), NOBODY, "by way of 43");
    assert_eq!(left(channel(&[44], 41), &[(44, 43)], &[]), [42], "44 holds it, but can't be reached");
    assert_eq!(left(channel(&[], 43), &[], &[42]), NOBODY, "withdrawn, it may be lost");
    assert_eq!(left(channel(&[43], 43), &[(43, 42), (44, 43)], &[]), [41], "a hotfix is no way for all");
    let mut newest = channel(&[], 43);
    newest.levels.remove(&Level(44));
    newest.levels.remove(&Level(43));
    assert_eq!(left(newest, &[], &[]), NOBODY, "nothing is above it yet");
}
