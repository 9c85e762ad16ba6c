//! Other data planes of the customer that have to be healthy on a level first.

use super::Situation;
use crate::after::After;
use crate::codes::{Obstacle, ObstacleCode};
use crate::digest::Digest;
use crate::names::DataPlaneName;
use crate::report::Report;
use crate::time::{At, Span};
use crate::trust::Verified;

/// What a data plane said long ago says nothing of today.
const MAX_AGE: Span = Span::from_seconds(7 * 86_400);

/// What was heard of another data plane.
#[derive(Debug, Clone)]
pub struct Other {
    /// Which one.
    pub data_plane: DataPlaneName,
    /// Its last report, or why there is none that counts.
    pub heard: Result<Verified<Report>, String>,
}

/// What is in the way at `at`. `now` is the time at which the reports were heard; for a later one they are played forward: who is
/// healthy stays so, and says so.
pub(super) fn obstacles(
    after: &[After],
    situation: &Situation<'_>,
    release: &Digest,
    (at, now): (At, At),
) -> Vec<Obstacle> {
    after.iter().filter_map(|after| obstacle(after, situation.others, release, (at, now))).collect()
}

fn obstacle(after: &After, others: &[Other], release: &Digest, (at, now): (At, At)) -> Option<Obstacle> {
    let name = &after.data_plane;
    let waits = |next, detail: String| Some(Obstacle::new(ObstacleCode::AfterOther, next, detail));
    let report = match others.iter().find(|other| other.data_plane == *name).map(|other| &other.heard) {
        Some(Ok(report)) => report,
        Some(Err(why)) => {
            return waits(None, format!("`{name}` goes first, and its report doesn't count: {why}"));
        }
        None => {
            let from = "the channel server hands it out, or whoever runs it gives it as a file";
            return waits(None, format!("`{name}` goes first, and no report of it is at hand: {from}"));
        }
    };
    if now.seconds_since(report.issued) > MAX_AGE.seconds() {
        let issued = report.issued;
        return waits(
            None,
            format!("`{name}` goes first, and its last report is of {issued}: more than {MAX_AGE} ago"),
        );
    }
    let current = report.current.filter(|current| current.sha256 == *release);
    let healthy_for = after.healthy_for;
    match (current, report.healthy_since) {
        (Some(_), Some(since)) if report.issued.seconds_since(since) >= healthy_for.seconds() => None,
        (Some(_), Some(since)) => match since.plus(healthy_for) {
            ripe if at > now && at >= ripe => None,
            ripe => {
                let detail = format!(
                    "`{name}` goes first: it is healthy on it since {since}, and has to be for {healthy_for}"
                );
                let late =
                    format!("; its last report is of {}, and a newer one has to say so", report.issued);
                let more = if at < ripe { String::new() } else { late };
                waits(Some(ripe).filter(|ripe| at < *ripe), detail + &more)
            }
        },
        (Some(_), None) => waits(None, format!("`{name}` goes first: it runs it, and isn't healthy")),
        (None, _) => {
            let at = report.current.map_or_else(|| "nothing".to_owned(), |at| format!("level {}", at.level));
            waits(None, format!("`{name}` goes first: it runs {at}"))
        }
    }
}
