//! Whether a data plane was well before a level came: who was sick already is not its victim.

use serde::{Deserialize, Serialize};

use crate::report::{LevelDigest, Report};

/// What the reports of a data plane say of the level that is installed there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Wellness {
    /// Nobody measured it, or it never reported: it counts like any other.
    #[default]
    Unknown,
    /// Healthy by its last report.
    Well,
    /// It was healthy on what is installed, and isn't any more.
    Sick,
}

impl Wellness {
    /// One report on; `before` is what was installed by the report before. That a report names no health isn't enough to be
    /// sick: nobody may measure it, and older versions of pdp-sync don't say.
    #[must_use]
    pub fn after(self, before: Option<LevelDigest>, report: &Report) -> Self {
        match (report.current, report.healthy_since) {
            (Some(_), Some(_)) => Self::Well,
            (Some(_), None) if report.current == before && self != Self::Unknown => Self::Sick,
            _ => Self::Unknown,
        }
    }

    /// True if what starts now can't fail a level.
    pub fn is_sick(self) -> bool {
        self == Self::Sick
    }
}
