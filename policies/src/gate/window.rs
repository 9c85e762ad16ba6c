//! Maintenance windows: cron beginnings in the customer's time zone, lengths in elapsed time.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZoneDatabase;

use crate::policy::{Window, WindowKind};
use crate::time::At;

/// No search for the next opening goes on for longer than this many steps.
const MAX_STEPS: usize = 64;

/// Whether starts are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowState {
    /// Now.
    Open,
    /// Not now.
    Closed {
        /// When it opens at the earliest, none if no opening is in sight.
        next: Option<At>,
        /// Which window says so, for people.
        why: String,
    },
}

impl Window {
    /// Checks cron and time zone.
    ///
    /// # Errors
    /// What is wrong, in words. An impossible date such as 31 February is wrong too.
    pub fn check(&self, now: At) -> Result<(), String> {
        if self.length.seconds() == 0 {
            return Err(format!("window `{}` has no length", self.name));
        }
        self.next_beginning(now).map(|_| ())
    }

    fn parts(&self) -> Result<(Cron, jiff::tz::TimeZone), String> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(&self.cron).map_err(|e| format!("window `{}`: cron: {e}", self.name))?;
        // Never `TimeZone::get`: it prefers files that anyone on the machine could swap.
        let zone = TimeZoneDatabase::bundled()
            .get(&self.time_zone)
            .map_err(|_| format!("window `{}`: `{}` is not an IANA time zone", self.name, self.time_zone))?;
        Ok((cron, zone))
    }

    /// The end of the window that is open at `now`, if one is.
    fn open_until(&self, now: At) -> Result<Option<At>, String> {
        let (cron, zone) = self.parts()?;
        let local = now.timestamp().to_zoned(zone);
        let Ok(began) = cron.find_previous_occurrence(&local, true) else { return Ok(None) };
        let end = At::of(began.timestamp()).plus(self.length);
        Ok((now < end).then_some(end))
    }

    fn next_beginning(&self, now: At) -> Result<At, String> {
        let (cron, zone) = self.parts()?;
        let local = now.timestamp().to_zoned(zone);
        let next = cron.find_next_occurrence(&local, false);
        next.map(|at| At::of(at.timestamp())).map_err(|e| format!("window `{}`: cron: {e}", self.name))
    }
}

/// Whether starts are allowed at `now`. Deny beats allow; a window that can't be read closes.
pub fn window_state(windows: &[Window], now: At) -> WindowState {
    match closed_by(windows, now) {
        Ok(None) => WindowState::Open,
        Ok(Some(why)) => WindowState::Closed { next: next_opening(windows, now), why },
        Err(why) => WindowState::Closed { next: None, why },
    }
}

/// Why starts are forbidden at `now`, none if they are allowed.
fn closed_by(windows: &[Window], now: At) -> Result<Option<String>, String> {
    let mut allows = windows.iter().filter(|w| w.kind == WindowKind::Allow).peekable();
    for deny in windows.iter().filter(|w| w.kind == WindowKind::Deny) {
        if deny.open_until(now)?.is_some() {
            return Ok(Some(format!("`{}` forbids starts now", deny.name)));
        }
    }
    let Some(first) = allows.peek() else { return Ok(None) };
    let why = format!("window `{}` is closed", first.name);
    for allow in allows {
        if allow.open_until(now)?.is_some() {
            return Ok(None);
        }
    }
    Ok(Some(why))
}

/// Steps from one beginning or end to the next until starts are allowed.
fn next_opening(windows: &[Window], now: At) -> Option<At> {
    let mut at = now;
    for _ in 0..MAX_STEPS {
        let beginnings =
            windows.iter().filter(|w| w.kind == WindowKind::Allow).map(|w| w.next_beginning(at).ok());
        let ends =
            windows.iter().filter(|w| w.kind == WindowKind::Deny).map(|w| w.open_until(at).ok().flatten());
        at = beginnings.chain(ends).flatten().min()?;
        if matches!(closed_by(windows, at), Ok(None)) {
            return Some(at);
        }
    }
    None
}
