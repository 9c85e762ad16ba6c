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

/// What is in the way at a time of the walk to the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// When; none for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
    /// In words that begin with the code.
    pub because: Vec<String>,
}

/// When a level can start, and the steps on the way there. `today` is in the way now, and `obstacles_at` says what is in the way
/// at a time; what only people can take away today is taken as settled.
pub(super) fn forecast(
    today: &[Obstacle],
    obstacles_at: impl Fn(At) -> Vec<Obstacle>,
    deadline: Option<Deadline>,
    now: At,
) -> (Forecast, Vec<Step>) {
    let once = today.iter().filter(|it| is_for_people(it)).map(|it| it.code).collect();
    let (at, steps) = walk(today.to_vec(), obstacles_at, now);
    let late = deadline.is_some_and(|deadline| at.is_none_or(|at| at > deadline.at));
    let forecast =
        Forecast { at: at.filter(|at| *at > now), not_within_a_year: at.is_none(), once, deadline, late };
    (forecast, steps)
}

/// Goes from the end of one obstacle to the next.
fn walk(
    today: Vec<Obstacle>,
    obstacles_at: impl Fn(At) -> Vec<Obstacle>,
    now: At,
) -> (Option<At>, Vec<Step>) {
    let (mut at, mut obstacles, mut steps) = (now, today, Vec::new());
    for _ in 0..MAX_STEPS {
        steps.extend(step(Some(at).filter(|at| *at > now), &obstacles));
        if obstacles.iter().any(|it| it.next.is_none() && is_window(it)) {
            return (None, steps);
        }
        match obstacles.iter().filter_map(|it| it.next).max() {
            None => return (Some(at), steps),
            Some(next) if next <= at || next > now.plus(HORIZON) => return (None, steps),
            Some(next) => (at, obstacles) = (next, obstacles_at(next)),
        }
    }
    (None, steps)
}

/// None once nothing but people's part is left: they are told of it at the first step.
fn step(at: Option<At>, obstacles: &[Obstacle]) -> Option<Step> {
    let told = obstacles.iter().filter(|it| at.is_none() || !is_for_people(it));
    let because: Vec<_> = told.map(ToString::to_string).collect();
    (!because.is_empty()).then_some(Step { at, because })
}

/// True for what no time takes away.
fn is_for_people(obstacle: &Obstacle) -> bool {
    obstacle.next.is_none() && !is_window(obstacle)
}

/// A window without an opening in sight is nothing that somebody settles by saying yes.
fn is_window(obstacle: &Obstacle) -> bool {
    obstacle.code == ObstacleCode::OutsideWindow
}
