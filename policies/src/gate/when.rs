//! When each level above the installed one can start: windows, freezes, ages, approvals and the vendor's earliest times, played
//! forward on the documents that are there today.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Forecast, Look, Situation, Step};
use crate::codes::Refusal;
use crate::names::Level;
use crate::policy::Policy;
use crate::time::At;
use crate::trust::{Catalog, Verified};

/// So many levels are looked at, the highest first.
const MAX_LEVELS: usize = 8;
/// So many steps of each are told.
const MAX_STEPS: usize = 12;

/// A level above the installed one, and its way to a start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    /// The level.
    pub level: Level,
    /// When it can start.
    pub forecast: Forecast,
    /// What is in the way now, and what is later; empty if it may start now.
    pub steps: Vec<Step>,
}

/// The highest eight levels that are promoted and meant for this data plane, highest first.
///
/// # Errors
/// As [`super::decide`].
pub fn when(
    catalog: &Verified<Catalog>,
    policy: &Policy,
    situation: &Situation<'_>,
    now: At,
) -> Result<Vec<Candidate>, Refusal> {
    let Some(look) = Look::new(catalog, policy, situation, now) else { return Ok(Vec::new()) };
    let of = |(level, promotion)| {
        let descriptor = catalog.release(situation.line, level)?;
        let today = look.judge(promotion, &descriptor, now).err().unwrap_or_default();
        let (forecast, mut steps) = look.forecast(promotion, &descriptor, &today, now);
        steps.truncate(MAX_STEPS);
        Ok(Candidate { level, forecast, steps })
    };
    look.candidates().take(MAX_LEVELS).map(of).collect()
}
