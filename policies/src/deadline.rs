//! By when the vendor promises that a fix is applied: 7, 14 or 30 days after it confirmed the vulnerability, by severity.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::release::{Advisory, Release, Severity};
use crate::time::{At, Span};

/// The vendor's deadline for a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Deadline {
    /// When.
    pub at: At,
    /// For what: the advisory that is due first.
    pub severity: Severity,
}

impl Severity {
    /// How long a fix may take, from the vendor's confirmation on.
    pub fn patience(self) -> Span {
        const DAY: u32 = 86_400;
        match self {
            Self::Critical => Span::from_seconds(7 * DAY),
            Self::High => Span::from_seconds(14 * DAY),
            Self::Medium | Self::Low => Span::from_seconds(30 * DAY),
        }
    }
}

impl Release {
    /// The earliest deadline of what it fixes, none if it fixes nothing.
    pub fn deadline(&self) -> Option<Deadline> {
        let of = |it: &Advisory| Deadline {
            at: it.confirmed_at.plus(it.severity.patience()),
            severity: it.severity,
        };
        self.advisories.iter().map(of).min()
    }
}
