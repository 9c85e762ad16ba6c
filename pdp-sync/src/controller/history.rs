//! What happened here, the newest first. Pure.

use pdp_policies::ComponentName;
use pdp_policies::decision::Phase;

use super::status::Facts;
use crate::crd::{HistoryEntry, HistoryResult, UpdateSubscriptionStatus as Status};

/// So many things that happened are kept.
const KEPT: usize = 10;

/// From the stored decision, not from this pass alone: whoever ended a level may have been killed before it could
/// write the status.
pub(super) fn of(facts: &Facts<'_>, before: &Status) -> Vec<HistoryEntry> {
    let history = before.history.clone();
    let Some(record) = facts.record else { return history };
    // A new object over an old decision: nobody knows any more when that ended.
    let unknown = facts.outcome.applied.is_none() && before.conditions.is_empty();
    match ended(record.phase()) {
        Some((result, failed)) if !unknown => {
            let (digest, decided_at) = (record.target_digest(), record.decided_at());
            let (level, release_digest) = (digest.level, digest.sha256);
            let ended_at = facts.now;
            with(history, HistoryEntry { level, release_digest, result, decided_at, ended_at, failed })
        }
        _ => history,
    }
}

fn ended(phase: &Phase) -> Option<(HistoryResult, Option<ComponentName>)> {
    match phase {
        Phase::Done {} => Some((HistoryResult::Healthy, None)),
        Phase::Quarantined { component, .. } => Some((HistoryResult::Failed, Some(component.clone()))),
        Phase::TakenBack {} => Some((HistoryResult::TakenBack, None)),
        Phase::Applying {} | Phase::GoingBack { .. } | Phase::TakingBack {} => None,
    }
}

/// The same end of the same decision counts once, whenever it is seen.
fn with(mut history: Vec<HistoryEntry>, entry: HistoryEntry) -> Vec<HistoryEntry> {
    let same = |other: &HistoryEntry| {
        other.release_digest == entry.release_digest
            && other.result == entry.result
            && other.decided_at == entry.decided_at
    };
    if !history.iter().any(same) {
        history.insert(0, entry);
        history.truncate(KEPT);
    }
    history
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use pdp_policies::{At, Digest};

    use super::*;

    fn entry(result: HistoryResult, decided: i64, ended: i64) -> HistoryEntry {
        HistoryEntry {
            level: serde_json::from_str("42").unwrap(),
            release_digest: Digest::of(b"42"),
            result,
            decided_at: At::from_unix(decided),
            ended_at: At::from_unix(ended),
            failed: None,
        }
    }

    #[test]
    fn an_end_counts_once_and_keeps_its_time() {
        let first = entry(HistoryResult::Healthy, 1, 2);
        let history = with(vec![first.clone()], entry(HistoryResult::Healthy, 1, 9));
        assert_eq!(history, [first]);
    }

    #[test]
    fn another_end_or_another_decision_comes_first() {
        let healthy = entry(HistoryResult::Healthy, 1, 2);
        let back = entry(HistoryResult::TakenBack, 1, 3);
        let again = entry(HistoryResult::Healthy, 4, 5);
        let history = with(with(vec![healthy.clone()], back.clone()), again.clone());
        assert_eq!(history, [again, back, healthy]);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let many = (0..30).map(|n| entry(HistoryResult::Failed, n, n));
        let history = many.fold(Vec::new(), with);
        assert_eq!(history.len(), KEPT);
        assert_eq!(history[0].decided_at, At::from_unix(29));
    }
}
