//! Openings that newer rules of a zone move.

use jiff::tz::TimeZone;

use super::openings::Openings;
use crate::policy::{Policy, Window};
use crate::time::{At, Span};

/// Openings are compared over so long.
const AHEAD: Span = Span::from_seconds(90 * 86_400);
const DAY: i64 = 86_400;
/// So many openings are compared: of each minute, nine days.
const MOST: usize = 13_000;

impl Policy {
    /// The windows whose openings within 90 days aren't those by the zone data of the program, in words.
    pub fn moved_by_zone_data(&self, now: At) -> Vec<String> {
        self.windows.iter().filter_map(|window| window.moved(now)).collect()
    }
}

impl Window {
    fn moved(&self, now: At) -> Option<String> {
        let (own, given, newer) = self.time_zone.both()?;
        let parting = parting(&own, &newer, now)?;
        // From a day before: an opening of the evening before isn't moved.
        let from = At::from_unix(parting.unix() - DAY).max(now);
        let until = At::from_unix(from.unix() + 9 * DAY);
        let cron = self.cron.read().ok()?;
        let openings = |zone| {
            let openings = Openings::new(cron, zone);
            let next = |at: &At| openings.next(*at);
            let all = std::iter::successors(openings.next(from), next).take_while(|at| *at < until);
            all.take(MOST).collect::<Vec<_>>()
        };
        let (old, new) = (openings(own), openings(newer));
        let (was, is) = old.into_iter().zip(new).find(|(was, is)| was != is)?;
        let (name, version, built_in) = (self.shown(), given.version(), crate::built_in_zone_data());
        let whose = format!("by the zone data that was given ({version})");
        // The same words at each look: what differs already has no first time.
        Some(match parting > now {
            true => format!("window `{name}` opens at {is} {whose}, not at {was} ({built_in})"),
            false => {
                format!("window `{name}` goes {whose}; by that of {built_in} it would open at other times")
            }
        })
    }
}

/// When two rules begin to differ within 90 days; `now` if they do already.
fn parting(own: &TimeZone, newer: &TimeZone, now: At) -> Option<At> {
    let until = now.plus(AHEAD);
    let changes = |zone: &TimeZone| {
        let following = zone.following(now.timestamp()).map(|change| At::of(change.timestamp()));
        following.take_while(|at| *at < until).collect::<Vec<_>>()
    };
    let mut instants: Vec<_> = std::iter::once(now).chain(changes(own)).chain(changes(newer)).collect();
    instants.sort_unstable();
    let differ = |at: &At| own.to_offset(at.timestamp()) != newer.to_offset(at.timestamp());
    instants.into_iter().find(differ)
}
