//! A window as a person reads it: in words, and with the times at which it begins.

use jiff::tz::TimeZone;

use crate::policy::{Window, WindowKind};
use crate::time::At;

/// A window in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowWords {
    /// Such as `starts are allowed at 22:00, on Saturday, for 2h (Europe/Berlin)`.
    pub rule: String,
    /// Its next beginnings.
    pub next: Vec<Beginning>,
}

/// A beginning of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// When.
    pub at: At,
    /// On the wall clock of the window's zone, with its offset from UTC: `2026-11-28 22:00 +01:00`.
    pub local: String,
}

impl Window {
    /// The window in words, with as many next beginnings as are asked for.
    ///
    /// # Errors
    /// What can't be read, in words.
    pub fn words(&self, now: At, beginnings: usize) -> Result<WindowWords, String> {
        let openings = self.openings()?;
        let what = match self.kind {
            WindowKind::Allow => "allowed",
            WindowKind::Deny => "forbidden",
        };
        let when = openings.words();
        let rule = format!("starts are {what} {when}, for {} ({})", self.length, self.time_zone);
        let next = self.beginnings(now)?.take(beginnings);
        let next = next.map(|at| Beginning { at, local: local(at, openings.zone()) }).collect();
        Ok(WindowWords { rule, next })
    }
}

fn local(at: At, zone: &TimeZone) -> String {
    at.timestamp().to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %:z").to_string()
}
