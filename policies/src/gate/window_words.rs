//! A window as a person reads it: in words, and with the times at which it begins.

use std::fmt;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::policy::{Policy, Window, WindowKind};
use crate::time::At;

/// So many beginnings show whether a rule means what its author meant.
const BEGINNINGS: usize = 5;

/// A window in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WindowWords {
    /// Its name.
    pub name: String,
    /// Such as `starts are allowed at 22:00, on Saturday, for 2h (Europe/Berlin)`; what is wrong with it, if it can't be read.
    pub rule: String,
    /// Its next beginnings, at most five; none if it can't be read.
    pub next: Vec<Beginning>,
}

/// A beginning of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Beginning {
    /// When, in UTC.
    pub at: At,
    /// On the wall clock of the window's zone, with its offset from UTC: `2026-11-28 22:00 +01:00`.
    pub local: String,
}

impl Policy {
    /// All windows in words, with their next five beginnings after `now`.
    pub fn windows_in_words(&self, now: At) -> Vec<WindowWords> {
        self.windows.iter().map(|window| window.words(now)).collect()
    }
}

impl Window {
    /// The window in words, with its next five beginnings after `now`.
    pub fn words(&self, now: At) -> WindowWords {
        let name = self.shown();
        self.read_out(now).map_or_else(
            |problem| WindowWords { name: name.clone(), rule: problem, next: Vec::new() },
            |(rule, next)| WindowWords { name: name.clone(), rule, next },
        )
    }

    fn read_out(&self, now: At) -> Result<(String, Vec<Beginning>), String> {
        let openings = self.openings()?;
        let what = match self.kind {
            WindowKind::Allow => "allowed",
            WindowKind::Deny => "forbidden",
        };
        let when = openings.words();
        let rule = format!("starts are {what} {when}, for {} ({})", self.length, self.time_zone.as_str());
        let next = self.beginnings(now)?.take(BEGINNINGS);
        Ok((rule, next.map(|at| Beginning { at, local: local(at, openings.zone()) }).collect()))
    }
}

impl fmt::Display for WindowWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "window `{}`: {}", self.name, self.rule)?;
        self.next.iter().try_for_each(|next| write!(f, "\n  {} ({})", next.local, next.at))
    }
}

fn local(at: At, zone: &TimeZone) -> String {
    at.timestamp().to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %:z").to_string()
}
