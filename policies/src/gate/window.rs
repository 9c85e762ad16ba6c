//! Maintenance windows: cron beginnings in the customer's time zone, lengths in elapsed time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

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

/// A window that is open for longer isn't one.
const MAX_LENGTH: Span = Span::from_seconds(366 * 86_400);
/// No decision looks up more openings than these; one takes some microseconds.
const MOST_LOOKUPS: usize = 200_000;
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
        let zone = self.time_zone.rules().ok_or_else(|| {
            let zone = crate::printable(self.time_zone.as_str());
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

/// How a window that forbids starts meets a level that takes its time.
enum Denied {
    /// It is open, until then.
    Now(At),
    /// It begins at the first time, before the level would be done, and ends at the second one.
    Soon(At, At),
}

impl Readable<'_> {
    /// The end of the window that is open at `now`, if one is.
    fn open_until(&self, now: At) -> Option<At> {
        let end = self.openings.last(now)?.plus(self.window.length);
        (now < end).then_some(end)
    }

    /// What it says, as one that forbids, of a level that starts at `now` and takes `needed`.
    fn denies(&self, now: At, needed: Span) -> Option<Denied> {
        if let Some(end) = self.open_until(now) {
            return Some(Denied::Now(end));
        }
        // What begins in the second in which the level is done comes too late to meet it.
        let last_second = At::from_unix(now.plus(needed).unix() - 1);
        let begins = self.openings.last(last_second).filter(|begins| *begins > now)?;
        Some(Denied::Soon(begins, begins.plus(self.window.length)))
    }
}

/// All windows of a policy, read once.
struct Windows<'a> {
    allow: Vec<Readable<'a>>,
    deny: Vec<Readable<'a>>,
    /// For so long a level needs them.
    needed: Span,
    /// So many openings may still be looked up.
    budget: Cell<usize>,
}

/// There are too many openings to look through.
pub(crate) struct TooMany;

impl<'a> Windows<'a> {
    fn read(windows: &'a [Window], needed: Span) -> Result<Self, String> {
        let read = |kind: WindowKind| {
            let of_kind = windows.iter().filter(move |window| window.kind == kind);
            let read = of_kind.map(|window| Ok(Readable { window, openings: window.openings()? }));
            read.collect::<Result<Vec<_>, String>>()
        };
        let (allow, deny) = (read(WindowKind::Allow)?, read(WindowKind::Deny)?);
        Ok(Self { allow, deny, needed, budget: Cell::new(MOST_LOOKUPS) })
    }

    /// Why starts are forbidden at `now`, none if they are allowed.
    fn closed_by(&self, now: At) -> Option<String> {
        let needed = self.needed;
        for deny in &self.deny {
            match deny.denies(now, needed) {
                Some(Denied::Now(_)) => return Some(format!("`{}` forbids starts now", deny.window.shown())),
                Some(Denied::Soon(begins, _)) => {
                    let name = deny.window.shown();
                    return Some(format!("`{name}` begins at {begins}, and a level takes about {needed}"));
                }
                None => {}
            }
        }
        let first = self.allow.first()?;
        match self.allowed_until(now, now.plus(needed)) {
            Some(end) if end >= now.plus(needed) => None,
            Some(end) => Some(format!("the window ends at {end}, and a level takes about {needed}")),
            None => Some(format!("window `{}` is closed", first.window.shown())),
        }
    }

    /// How long windows that allow starts are open from `now` on, one after the other; looked at no further than `enough`. None
    /// if none is open.
    fn allowed_until(&self, now: At, enough: At) -> Option<At> {
        let mut until = self.open_until(now, enough)?;
        while until < enough && self.looks_up(self.allow.len()) {
            match self.open_until(until, enough) {
                Some(further) => until = further,
                None => break,
            }
        }
        Some(until)
    }

    /// The end of a window that is open at `at` and reaches `enough`, else the last end of those that are open.
    fn open_until(&self, at: At, enough: At) -> Option<At> {
        let mut ends = self.allow.iter().filter_map(|allow| allow.open_until(at));
        let mut last = None;
        // One that reaches far enough spares the search in the others.
        ends.find(|end| {
            last = last.max(Some(*end));
            *end >= enough
        });
        last
    }

    /// The first time within a year at which starts are allowed.
    fn next_opening(&self, now: At) -> Result<Option<At>, TooMany> {
        let (mut at, horizon) = (now, now.plus(HORIZON));
        while at <= horizon {
            if !self.looks_up(self.allow.len() + self.deny.len()) {
                return Err(TooMany);
            }
            let next = match self.denied_until(at) {
                Some(end) => Some(end),
                None if self.allow.is_empty() => return Ok(Some(at)),
                None => match self.allowed_until(at, at.plus(self.needed)) {
                    Some(end) if end >= at.plus(self.needed) => return Ok(Some(at)),
                    // Whoever begins later in the same stretch has less of it.
                    Some(end) => self.allow.iter().filter_map(|allow| allow.openings.next(end)).min(),
                    None => self.allow.iter().filter_map(|allow| allow.openings.next(at)).min(),
                },
            };
            let Some(next) = next else { return Ok(None) };
            at = next;
        }
        Ok(None)
    }

    /// False once the budget is used up.
    fn looks_up(&self, count: usize) -> bool {
        let left = self.budget.get().saturating_sub(count.max(1));
        self.budget.set(left);
        left > 0
    }

    /// The last end of all windows that forbid a start at `at`.
    fn denied_until(&self, at: At) -> Option<At> {
        let denied = self.deny.iter().filter_map(|deny| deny.denies(at, self.needed));
        denied
            .map(|denied| match denied {
                Denied::Now(end) | Denied::Soon(_, end) => end,
            })
            .max()
    }
}

/// The stretches of time between `from` and `until` in which starts are allowed, in order; no more than `most`.
///
/// # Errors
/// What can't be read, in words.
pub(crate) fn open_stretches(
    windows: &[Window],
    (from, until): (At, At),
    most: usize,
) -> Result<Vec<(At, At)>, String> {
    let windows = Windows::read(windows, Span::default())?;
    let first = windows.stretch(from, until);
    let next = |(_, end): &(At, At)| windows.stretch(*end, until);
    Ok(std::iter::successors(first, next).take(most).collect())
}

impl Windows<'_> {
    /// The first stretch that is open at `from` or later.
    fn stretch(&self, from: At, until: At) -> Option<(At, At)> {
        let begins = self.next_opening(from).ok().flatten().filter(|begins| *begins < until)?;
        let allowed = if self.allow.is_empty() { Some(until) } else { self.allowed_until(begins, until) };
        let denied = self.deny.iter().filter_map(|deny| deny.openings.next(begins)).min();
        let end = allowed?.min(denied.unwrap_or(until)).min(until);
        (begins < end).then_some((begins, end))
    }
}

/// What windows say at the times of one decision, each looked up once.
pub(super) struct WindowStates<'a> {
    windows: &'a [Window],
    seen: RefCell<BTreeMap<(At, Span), WindowState>>,
}

impl<'a> WindowStates<'a> {
    pub(super) fn of(windows: &'a [Window]) -> Self {
        Self { windows, seen: RefCell::default() }
    }

    pub(super) fn at(&self, now: At, needed: Span) -> WindowState {
        let mut seen = self.seen.borrow_mut();
        seen.entry((now, needed)).or_insert_with(|| window_state(self.windows, needed, now)).clone()
    }
}

/// Whether a level that takes `needed` may start at `now`. Deny beats allow; a window that can't be read closes.
pub fn window_state(windows: &[Window], needed: Span, now: At) -> WindowState {
    let read = match Windows::read(windows, needed) {
        Ok(read) => read,
        Err(why) => return WindowState::Closed { next: None, why },
    };
    let Some(why) = read.closed_by(now) else { return WindowState::Open };
    let (next, more) = match read.next_opening(now) {
        Ok(next @ Some(_)) => (next, String::new()),
        Ok(None) if needed > Span::default() => {
            (None, format!("; no window within a year is long enough for the {needed} that a level takes"))
        }
        Ok(None) => (None, String::new()),
        Err(TooMany) => {
            (None, "; too many openings to look for the next one: write fewer, longer windows".to_owned())
        }
    };
    WindowState::Closed { next, why: format!("{why}{more}") }
}

/// False if no start is allowed within a year. What there is too much of to look through isn't known to be closed.
pub(crate) fn ever_opens(windows: &[Window], needed: Span, now: At) -> bool {
    let Ok(read) = Windows::read(windows, needed) else { return false };
    !matches!(read.next_opening(now), Ok(None))
}
