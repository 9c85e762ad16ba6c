//! When a cron rule opens on the wall clock of a zone, by one rule for all spellings: an opening that the clock skips begins
//! at the first instant after the gap; one that the clock shows twice begins the first time, once.

use croner::Cron;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use crate::time::At;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// The beginnings of a window.
#[derive(Debug, Clone)]
pub(super) struct Openings<'a> {
    cron: &'a Cron,
    zone: TimeZone,
}

impl<'a> Openings<'a> {
    pub(super) fn new(cron: &'a Cron, zone: TimeZone) -> Self {
        Self { cron, zone }
    }

    /// The rule in English: `at 22:00, on Saturday`.
    pub(super) fn words(&self) -> String {
        let words = self.cron.describe();
        words.trim_end_matches('.').replacen("At ", "at ", 1).replacen("at every", "every", 1)
    }

    pub(super) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The last beginning at or before `now`, none if there was none in years.
    pub(super) fn last(&self, now: At) -> Option<At> {
        let found = self.cron.find_previous_occurrence(&wall(self.shown(now)), true).ok()?;
        Some(self.begins(found.datetime()))
    }

    /// The first beginning after `now`, none if there is none in years.
    pub(super) fn next(&self, now: At) -> Option<At> {
        let found = self.cron.find_next_occurrence(&wall(self.shown(now)), false).ok()?;
        Some(self.begins(found.datetime())).filter(|begins| *begins > now)
    }

    /// The latest time that the wall clock has shown by `now`: what it shows, or more if it was set back within the hour.
    fn shown(&self, now: At) -> DateTime {
        let clock = self.zone.to_datetime(now.timestamp());
        let doubled = matches!(self.offset(clock), AmbiguousOffset::Fold { .. });
        match self.change_before(now.timestamp() + SECOND) {
            Some(set_back) if doubled && self.begins(clock) != now => {
                self.zone.to_datetime(set_back - SECOND)
            }
            _ => clock,
        }
    }

    /// The instant at which the clock shows a time first, or passes it.
    fn begins(&self, clock: DateTime) -> At {
        let ambiguous = self.zone.to_ambiguous_timestamp(clock);
        match self.offset(clock) {
            AmbiguousOffset::Gap { .. } => {
                let after = ambiguous.later().unwrap_or_default();
                At::of(self.change_before(after + SECOND).unwrap_or(after))
            }
            _ => At::of(ambiguous.earlier().unwrap_or_default()),
        }
    }

    fn offset(&self, clock: DateTime) -> AmbiguousOffset {
        self.zone.to_ambiguous_timestamp(clock).offset()
    }

    fn change_before(&self, at: Timestamp) -> Option<Timestamp> {
        self.zone.preceding(at).next().map(|change| change.timestamp())
    }
}

/// A time without a zone, as croner takes it: so it knows of no change of clocks.
fn wall(clock: DateTime) -> jiff::Zoned {
    TimeZone::UTC.to_zoned(clock).unwrap_or_default()
}
