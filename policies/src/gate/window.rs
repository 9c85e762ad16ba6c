//! Maintenance windows: cron beginnings in the customer's time zone, lengths in elapsed time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::tz::TimeZoneDatabase;

use super::openings::Openings;
use crate::policy::{Window, WindowKind};
use crate::time::{At, Span};

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

/// The zones of the program, read once each. Never `TimeZone::get`: it prefers files that anyone on the machine could swap.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
/// A window that is open for longer isn't one.
const MAX_LENGTH: Span = Span::from_seconds(366 * 86_400);
/// No search for the next opening goes on for longer than this many steps: hours of a year, and some.
const MAX_STEPS: usize = 10_000;
/// The next opening is looked for up to here.
const HORIZON: Span = Span::from_seconds(366 * 86_400);

impl Window {
    /// Checks rule, time zone and length.
    ///
    /// # Errors
    /// What is wrong, in words. A date that never comes, such as 31 February, is wrong too.
    pub fn check(&self, now: At) -> Result<(), String> {
        let openings = self.openings()?;
        let problem = match self.length.seconds() {
            0 => "no length".to_owned(),
            length if length > MAX_LENGTH.seconds() => {
                format!(
                    "a length of {}: more than {MAX_LENGTH} is no window, but a freeze or a hold",
                    self.length
                )
            }
            _ if openings.next(now).is_none() => {
                format!("no beginning: `{}` never comes", crate::printable(self.cron.as_str()))
            }
            _ => return Ok(()),
        };
        Err(format!("window `{}` has {problem}", self.shown()))
    }

    /// Its beginnings after `now`, in order, as many as are asked for.
    ///
    /// # Errors
    /// What can't be read, in words.
    pub fn beginnings(&self, now: At) -> Result<impl Iterator<Item = At>, String> {
        let openings = self.openings()?;
        Ok(std::iter::successors(openings.next(now), move |at| openings.next(*at)))
    }

    /// Its name, as it may be printed.
    pub(super) fn shown(&self) -> String {
        crate::printable(&self.name)
    }

    /// When it begins.
    ///
    /// # Errors
    /// What can't be read, in words.
    pub(super) fn openings(&self) -> Result<Openings<'_>, String> {
        let cron = self.cron.read().map_err(|cause| {
            let text = crate::printable(self.cron.as_str());
            format!("window `{}`: cron `{text}`: {cause}", self.shown())
        })?;
        let zone = ZONES.get(&self.time_zone).map_err(|_| {
            let zone = crate::printable(&self.time_zone);
            format!("window `{}`: `{zone}` is not an IANA time zone", self.shown())
        })?;
        Ok(Openings::new(cron, zone))
    }
}

/// A window that was read.
struct Readable<'a> {
    window: &'a Window,
    openings: Openings<'a>,
}

impl Readable<'_> {
    /// The end of the window that is open at `now`, if one is.
    fn open_until(&self, now: At) -> Option<At> {
        let end = self.openings.last(now)?.plus(self.window.length);
        (now < end).then_some(end)
    }
}

/// All windows of a policy, read once.
struct Windows<'a> {
    allow: Vec<Readable<'a>>,
    deny: Vec<Readable<'a>>,
}

impl<'a> Windows<'a> {
    fn read(windows: &'a [Window]) -> Result<Self, String> {
        let read = |kind: WindowKind| {
            let of_kind = windows.iter().filter(move |window| window.kind == kind);
            let read = of_kind.map(|window| Ok(Readable { window, openings: window.openings()? }));
            read.collect::<Result<Vec<_>, String>>()
        };
        Ok(Self { allow: read(WindowKind::Allow)?, deny: read(WindowKind::Deny)? })
    }

    /// Why starts are forbidden at `now`, none if they are allowed.
    fn closed_by(&self, now: At) -> Option<String> {
        if let Some(deny) = self.deny.iter().find(|deny| deny.open_until(now).is_some()) {
            return Some(format!("`{}` forbids starts now", deny.window.shown()));
        }
        let first = self.allow.first()?;
        let open = self.allow.iter().any(|allow| allow.open_until(now).is_some());
        (!open).then(|| format!("window `{}` is closed", first.window.shown()))
    }

    /// The first time within a year at which starts are allowed.
    fn next_opening(&self, now: At) -> Option<At> {
        let (mut at, horizon) = (now, now.plus(HORIZON));
        for _ in 0..MAX_STEPS {
            if at > horizon {
                return None;
            }
            let denied = self.deny.iter().filter_map(|deny| deny.open_until(at)).max();
            at = match denied {
                Some(end) => end,
                None if self.closed_by(at).is_none() => return Some(at),
                None => self.allow.iter().filter_map(|allow| allow.openings.next(at)).min()?,
            };
        }
        None
    }
}

/// What windows say at the times of one decision, each looked up once.
pub(super) struct WindowStates<'a> {
    windows: &'a [Window],
    seen: RefCell<BTreeMap<At, WindowState>>,
}

impl<'a> WindowStates<'a> {
    pub(super) fn of(windows: &'a [Window]) -> Self {
        Self { windows, seen: RefCell::default() }
    }

    pub(super) fn at(&self, now: At) -> WindowState {
        let mut seen = self.seen.borrow_mut();
        seen.entry(now).or_insert_with(|| window_state(self.windows, now)).clone()
    }
}

/// Whether starts are allowed at `now`. Deny beats allow; a window that can't be read closes.
pub fn window_state(windows: &[Window], now: At) -> WindowState {
    let read = match Windows::read(windows) {
        Ok(read) => read,
        Err(why) => return WindowState::Closed { next: None, why },
    };
    match read.closed_by(now) {
        None => WindowState::Open,
        Some(why) => WindowState::Closed { next: read.next_opening(now), why },
    }
}
