//! Parts of a status, each taken from one thing that a pass saw.

use pdp_policies::decision::{DecisionRecord, Phase};
use pdp_policies::outlives::{self, Outlives};
use pdp_policies::{ComponentName, Obstacle};

use crate::crd::{InstructionStatus, NextAction, ObstacleStatus, RefusalStatus};
use crate::instruct::Trouble;
use crate::status::{self, Outcome, Seen};
use crate::target::Tidied;

/// So many objects that outlived a level are named.
const MAX_LEFT_BEHIND: usize = 50;

pub(super) fn next_action(obstacles: &[Obstacle]) -> Option<NextAction> {
    if obstacles.iter().any(|obstacle| obstacle.next.is_none()) {
        return None;
    }
    let last = obstacles.iter().filter_map(|it| Some(NextAction { at: it.next?, code: it.code }));
    last.max_by_key(|next| next.at)
}

pub(super) fn obstacle(obstacle: &Obstacle) -> ObstacleStatus {
    let Obstacle { code, owner, next, detail } = obstacle.clone();
    ObstacleStatus { code, owner, next, detail }
}

pub(super) fn refusal(outcome: &Outcome) -> Option<RefusalStatus> {
    let refusal = match (&outcome.seen, &outcome.trouble) {
        (Seen::Refused { refusal, .. }, _) | (_, Some(Trouble::Refused(refusal))) => refusal,
        _ => return None,
    };
    let (subject, detail) = (refusal.subject.clone(), refusal.detail.clone());
    Some(RefusalStatus { code: refusal.code, subject, detail, hint: refusal.code.hint().to_owned() })
}

pub(super) fn instruction(it: &status::InstructionStatus) -> InstructionStatus {
    InstructionStatus {
        by: it.by.clone(),
        ring: it.ring.clone(),
        earlier_ring: it.earlier_ring.clone(),
        ceiling: it.ceiling,
    }
}

/// What runs and wasn't signed, by component.
pub(super) fn foreign(tidied: &Tidied) -> Option<String> {
    let one = |(name, words): (&ComponentName, &String)| format!("`{name}`: {words}");
    let all: Vec<_> = tidied.foreign.iter().map(one).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// Known once everything is back.
pub(super) fn left_behind(record: &DecisionRecord) -> Vec<Outlives> {
    match record.phase() {
        Phase::Quarantined { .. } => {
            let all = outlives::left_behind(record).into_iter();
            all.map(|(_, object)| object.clone()).take(MAX_LEFT_BEHIND).collect()
        }
        _ => vec![],
    }
}
