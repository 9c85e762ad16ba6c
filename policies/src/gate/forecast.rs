//! When a level that waits can start, as far as is known today.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::codes::{Obstacle, ObstacleCode};
use crate::deadline::Deadline;
use crate::time::{At, Span};

/// One obstacle's end leads to the next obstacle at most this often.
const MAX_STEPS: usize = 200;
/// Nothing is foretold for later.
const HORIZON: Span = Span::from_seconds(366 * 86_400);

/// When a level can start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// The earliest time to come; none if it is now, or not within a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
    /// True if no time within a year is known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_within_a_year: bool,
    /// What people have to settle before.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub once: BTreeSet<ObstacleCode>,
    /// The vendor's deadline, if it fixes a vulnerability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Deadline>,
    /// True if the earliest time is after the deadline.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

/// Walks from the end of one obstacle to the next. `today` is in the way now, and `obstacles_at` says what is in the way at a time; what only people can take
/// away today is taken as settled.
pub(super) fn forecast(
    today: &[Obstacle],
    obstacles_at: impl Fn(At) -> Vec<Obstacle>,
    deadline: Option<Deadline>,
    now: At,
) -> Forecast {
    let once = today.iter().filter(|it| it.next.is_none() && !is_window(it)).map(|it| it.code).collect();
    let at = earliest(today.to_vec(), obstacles_at, now);
    let late = deadline.is_some_and(|deadline| at.is_none_or(|at| at > deadline.at));
    Forecast { at: at.filter(|at| *at > now), not_within_a_year: at.is_none(), once, deadline, late }
}

fn earliest(today: Vec<Obstacle>, obstacles_at: impl Fn(At) -> Vec<Obstacle>, now: At) -> Option<At> {
    let (mut at, mut obstacles) = (now, today);
    for _ in 0..MAX_STEPS {
        if obstacles.iter().any(|it| it.next.is_none() && is_window(it)) {
            return None;
        }
        match obstacles.iter().filter_map(|it| it.next).max() {
            None => return Some(at),
            Some(next) if next <= at || next > now.plus(HORIZON) => return None,
            Some(next) => (at, obstacles) = (next, obstacles_at(next)),
        }
    }
    None
}

/// A window without an opening in sight is nothing that somebody settles by saying yes.
fn is_window(obstacle: &Obstacle) -> bool {
    obstacle.code == ObstacleCode::OutsideWindow
}
