//! Nobody is stranded by a promotion.

use pdp_policies::{Channel, Level, Withdrawal, stranded};

use crate::vendor::{channel, now, release};

/// Levels 41 to 45 with what each needs, which are withdrawn, and where everybody has to stop.
fn left_behind(needs: &[(u32, u32)], withdrawn: &[u32], stops: &[u32]) -> Vec<u32> {
    let mut channel: Channel = channel(&[41, 42, 43, 44, 45].map(release));
    for level in withdrawn {
        let withdrawal = Withdrawal { at: now(), reason: "bad".into(), fixed_by: None };
        channel.withdrawn.insert(Level(*level), withdrawal);
    }
    channel.required_stops = stops.iter().copied().map(Level).collect();
    let from = |level: Level| needs.iter().find(|(of, _)| *of == level.0).map(|(_, needed)| Level(*needed));
    stranded(&channel, from).into_iter().map(|level| level.0).collect()
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
