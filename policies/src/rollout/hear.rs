//! What a report means for the rollout of its level.

use super::event::{Outcome, RolloutEvent};
use super::fold::{Rollout, Started};
use super::offer::is_open;
use super::wellness::Wellness;
use crate::channel::{Channel, Promotion};
use crate::names::{PdpId, Ring};
use crate::report::{ReportState, TargetState};
use crate::time::At;

/// A report of one PDP about one promoted level.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// Who reports; reports are taken in the order in which they were written.
    pub pdp: &'a PdpId,
    /// Its ring now.
    pub ring: &'a Ring,
    /// When it wrote it, by its own clock.
    pub issued: At,
    /// What it says of the level.
    pub target: &'a TargetState,
    /// What it said last.
    pub last: Option<&'a TargetState>,
    /// How it was by the reports before this one.
    pub wellness: Wellness,
}

/// Why a report counts nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unheard {
    /// The level was never opened to anybody.
    NeverOpened,
    /// A later attempt is known.
    Older,
}

/// The events that a report means; none for what is known already.
///
/// A start that nobody granted is adopted if the level was open to somebody; an end is noted once; a grant that
/// the PDP says it hasn't used, after it ran out by the PDP's own clock, lapses. Nothing else frees a place: a
/// `ready` carries no date, so one that comes late proves nothing.
///
/// # Errors
/// What makes no sense.
pub fn hear(
    channel: &Channel,
    promotion: &Promotion,
    rollout: Option<&Rollout>,
    heard: Heard<'_>,
    now: At,
) -> Result<Vec<RolloutEvent>, Unheard> {
    let (pdp, attempt) = (heard.pdp, heard.target.attempt);
    let start = rollout.and_then(|rollout| rollout.starts.get(pdp));
    let outcome = match heard.target.state {
        ReportState::Deferred | ReportState::Waiting | ReportState::Ready => {
            return Ok(start.and_then(|start| lapsed(start, heard)).into_iter().collect());
        }
        ReportState::Started => None,
        ReportState::Written => Some(Outcome::Written),
        ReportState::Healthy => Some(Outcome::Healthy),
        ReportState::Failed => Some(Outcome::Failed),
    };
    if let Some(start) = start.filter(|start| start.attempt > attempt) {
        // The state in which the attempt before ended is what it says until it starts the next one.
        return match (outcome, lapsed(start, heard)) {
            (None, _) => Err(Unheard::Older),
            (Some(_), lapsed) => Ok(lapsed.into_iter().collect()),
        };
    }
    let mut events = Vec::new();
    if start.is_none_or(|start| start.attempt < attempt) {
        if !was_opened(channel, promotion, rollout, now) {
            return Err(Unheard::NeverOpened);
        }
        let (ring, sick) = (heard.ring.clone(), heard.wellness.is_sick());
        events.push(RolloutEvent::Adopted { pdp: pdp.clone(), ring, attempt, sick });
    }
    let known = start.filter(|start| start.attempt == attempt).and_then(|start| start.outcome);
    let news = |outcome: &Outcome| Some(*outcome) != known && known != Some(Outcome::Failed);
    if let Some(outcome) = outcome.filter(news) {
        events.push(RolloutEvent::Ended { pdp: pdp.clone(), attempt, outcome });
    }
    Ok(events)
}

fn was_opened(channel: &Channel, promotion: &Promotion, rollout: Option<&Rollout>, now: At) -> bool {
    channel.plan.rings.iter().any(|rules| {
        promotion.open_to.contains_key(&rules.name)
            || rollout.is_some_and(|rollout| is_open(promotion, rollout, &rules.name, now))
    })
}

/// Only certain knowledge frees a place: by its own clock the grant had run out, it hadn't started, and it never
/// said that it had.
fn lapsed(start: &Started, heard: Heard<'_>) -> Option<RolloutEvent> {
    let over = start.outcome.is_none() && start.until.is_some_and(|until| heard.issued >= until);
    let begun = heard.last.is_some_and(|last| {
        (last.level, last.attempt) == (heard.target.level, start.attempt)
            && !matches!(last.state, ReportState::Deferred | ReportState::Waiting | ReportState::Ready)
    });
    (over && !begun).then(|| RolloutEvent::Lapsed { pdp: heard.pdp.clone(), attempt: start.attempt })
}
