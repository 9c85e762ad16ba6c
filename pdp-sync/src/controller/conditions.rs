//! Flux's status contract as a function: where a subscription stands, as `kubectl wait`, kstatus and `flux get` read it.
//!
//! `Ready` is always there, `Reconciling` and `Stalled` only while true and never both. Waiting for what the customer
//! or the vendor allows is `Ready=True` with `Blocked`: nothing is under way and nothing is wrong.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use pdp_policies::At;

use crate::crd::{Condition, ConditionType};

/// The API server refuses longer messages (characters).
const MAX_MESSAGE: usize = 32_768;
/// It refuses longer reasons, too.
const MAX_REASON: usize = 1_024;

/// Where a subscription stands after a pass, or in the middle of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stand {
    /// As far as it may go.
    Done {
        /// Where that is, for people.
        message: String,
    },
    /// Something is under way.
    UnderWay {
        /// What, as one word.
        reason: String,
        /// What, for people.
        message: String,
    },
    /// It didn't work and is tried again by itself.
    Retrying {
        /// The code of what went wrong.
        reason: String,
        /// The cause, for people.
        message: String,
    },
    /// It doesn't work until a person does something.
    Stalled {
        /// The code of what went wrong.
        reason: String,
        /// The cause and the next step, for people.
        message: String,
    },
    /// A person suspended it.
    Suspended,
}

/// A condition that is true beside `Ready`: its type, reason and message.
pub(crate) type Also = (ConditionType, String, String);

/// The conditions of a subscription of `generation`. `before` are those in the object; the same input gives the same
/// answer, so that nothing is written when nothing changed.
pub(crate) fn conditions(
    stand: &Stand,
    also: &[Also],
    before: &[Condition],
    generation: i64,
    now: At,
) -> Vec<Condition> {
    let at = Write { before, generation, now };
    let mut found = match stand {
        Stand::Done { message } => vec![at.condition(ConditionType::Ready, "True", "Succeeded", message)],
        Stand::UnderWay { reason, message } => vec![
            at.condition(ConditionType::Ready, "Unknown", "Progressing", message),
            at.condition(ConditionType::Reconciling, "True", reason, message),
        ],
        Stand::Retrying { reason, message } => vec![
            at.condition(ConditionType::Ready, "False", reason, message),
            at.condition(ConditionType::Reconciling, "True", "ProgressingWithRetry", message),
        ],
        Stand::Stalled { reason, message } => vec![
            at.condition(ConditionType::Ready, "False", reason, message),
            at.condition(ConditionType::Stalled, "True", reason, message),
        ],
        Stand::Suspended => at.suspended(),
    };
    let mut extras: Vec<&Also> = also.iter().filter(|(kind, ..)| !is_stand(*kind)).collect();
    extras.sort_by_key(|(kind, ..)| *kind);
    extras.dedup_by_key(|(kind, ..)| *kind);
    found.extend(
        extras.into_iter().map(|(kind, reason, message)| at.condition(*kind, "True", reason, message)),
    );
    found
}

/// `status.observedGeneration`: set once a generation was seen through, as far as that goes.
pub(crate) fn observed_generation(stand: &Stand, before: Option<i64>, generation: i64) -> Option<i64> {
    match stand {
        Stand::Done { .. } | Stand::Stalled { .. } | Stand::Suspended => Some(generation),
        Stand::UnderWay { .. } | Stand::Retrying { .. } => before.or(Some(-1)),
    }
}

fn is_stand(kind: ConditionType) -> bool {
    matches!(kind, ConditionType::Ready | ConditionType::Reconciling | ConditionType::Stalled)
}

/// What every condition is made with.
struct Write<'a> {
    before: &'a [Condition],
    generation: i64,
    now: At,
}

impl Write<'_> {
    fn condition(&self, kind: ConditionType, status: &str, reason: &str, message: &str) -> Condition {
        let same = self.find(kind).filter(|old| old.status == status);
        Condition {
            last_transition_time: same
                .map_or_else(|| Time(self.now.timestamp()), |old| old.last_transition_time.clone()),
            message: capped(message),
            observed_generation: Some(self.generation),
            reason: camel(reason),
            status: status.to_owned(),
            type_: kind.as_str().to_owned(),
        }
    }

    fn find(&self, kind: ConditionType) -> Option<&Condition> {
        self.before.iter().find(|old| old.type_ == kind.as_str())
    }

    /// What was known stays true while nobody looks; only what was under way isn't any more.
    fn suspended(&self) -> Vec<Condition> {
        let keep =
            |kind| self.find(kind).map(|old| self.condition(kind, &old.status, &old.reason, &old.message));
        let ready = keep(ConditionType::Ready);
        match (ready, keep(ConditionType::Stalled)) {
            (Some(ready), Some(stalled)) if ready.status == "False" && stalled.status == "True" => {
                vec![ready, stalled]
            }
            (Some(ready), None) if ready.status == "True" => vec![ready],
            _ => {
                let message = "suspended by spec.suspend before it was done; what runs keeps running";
                vec![self.condition(ConditionType::Ready, "False", "Suspended", message)]
            }
        }
    }
}

fn capped(message: &str) -> String {
    match message.char_indices().nth(MAX_MESSAGE) {
        None => message.to_owned(),
        Some(_) => message.chars().take(MAX_MESSAGE - 3).chain("...".chars()).collect(),
    }
}

/// A reason that the API server takes: letters, digits and `_`, a letter first.
fn camel(reason: &str) -> String {
    let mut kept: String =
        reason.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(MAX_REASON).collect();
    if !kept.starts_with(|c: char| c.is_ascii_alphabetic()) {
        kept = format!("Reason{}", kept.chars().take(MAX_REASON - 6).collect::<String>());
    }
    kept
}

#[cfg(test)]
mod tests;
