//! Openings that newer rules of a zone move.

use jiff::tz::TimeZone;

use super::openings::Openings;
use crate::policy::{Policy, Window};
use crate::time::{At, Span};

/// Openings are compared over so long.
const AHEAD: Span = Span::from_seconds(90 * 86_400);
/// From so long before the rules part: an opening of the evening before isn't moved.
const BEFORE: i64 = 86_400;
/// So many openings are compared: they part at the first ones, or not at all.
const MOST: usize = 100;

impl Policy {
    /// The windows whose openings within 90 days aren't those by the zone data of the program, in words.
    pub fn moved_by_zone_data(&self, now: At) -> Vec<String> {
        self.windows.iter().filter_map(|window| window.moved(now)).collect()
    }
}

impl Window {
    fn moved(&self, now: At) -> Option<String> {
        let (own, given, newer) = self.time_zone.both()?;
        let from = parting(&own, &newer, now)?;
        let cron = self.cron.read().ok()?;
        let openings = |zone| {
            let openings = Openings::new(cron, zone);
            let next = |at: &At| openings.next(*at);
            std::iter::successors(openings.next(from), next).take(MOST).collect::<Vec<_>>()
        };
        let (old, new) = (openings(own), openings(newer));
        let (was, is) = old.into_iter().zip(new).find(|(was, is)| was != is)?;
        let (name, version) = (self.shown(), given.version());
        let built_in = crate::built_in_zone_data();
        (was.min(is) < now.plus(AHEAD)).then(|| {
            format!("window `{name}` opens at {is} by the zone data that was given ({version}), not at {was} ({built_in})")
        })
    }
}

/// When two rules begin to differ within 90 days, or a day before, but never before `now`.
fn parting(own: &TimeZone, newer: &TimeZone, now: At) -> Option<At> {
    let until = now.plus(AHEAD);
    let changes = |zone: &TimeZone| {
        let following = zone.following(now.timestamp()).map(|change| At::of(change.timestamp()));
        following.take_while(|at| *at < until).collect::<Vec<_>>()
    };
    let mut instants: Vec<_> = std::iter::once(now).chain(changes(own)).chain(changes(newer)).collect();
    instants.sort_unstable();
    let differ = |at: &At| own.to_offset(at.timestamp()) != newer.to_offset(at.timestamp());
    let first = instants.into_iter().find(differ)?;
    Some(At::from_unix(first.unix() - BEFORE).max(now))
}
