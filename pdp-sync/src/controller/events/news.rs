//! Which changes of a status are worth an event.

use pdp_policies::ObstacleCode;
use pdp_policies::outlives::words;

use super::News;
use crate::crd::{
    CatalogState, ComponentState, ConditionType, HistoryEntry, HistoryResult, MoveState, MoveStatus,
    TargetPhase, TargetStatus, UpdateSubscriptionStatus as Status,
};

/// What happened between two statuses, in the order in which it did; nothing if they are the same.
pub(crate) fn news(before: &Status, after: &Status) -> Vec<News> {
    let mut found = Vec::new();
    found.extend(catalog(before, after));
    found.extend(refusal(before, after));
    found.extend(moves(before, after));
    found.extend(policy(before, after));
    found.extend(suspended(before, after));
    found.extend(ended(before, after));
    if let Some(target) = &after.target {
        found.extend(target_moved(before.target.as_ref(), target));
    }
    found.extend(blocked(before, after));
    found.extend(appeared(before, after));
    found
}

fn catalog(before: &Status, after: &Status) -> Option<News> {
    let state = |status: &Status| status.catalog.as_ref().map(|catalog| catalog.state);
    if state(before) == state(after) {
        return None;
    }
    let signed = after.catalog.as_ref().and_then(|catalog| catalog.signed_at);
    let signed = signed.map_or_else(String::new, |at| format!(" (signed {at})"));
    match state(after)? {
        CatalogState::Fresh => None,
        CatalogState::Stale => {
            let next = "levels still start; can the vendor's catalog be reached?";
            Some(News::error("CatalogStale", format!("the catalog is older than 26 hours{signed}: {next}")))
        }
        CatalogState::Expired => {
            let next = "nothing new starts, what runs keeps running; can the vendor's catalog be reached?";
            Some(News::error("CatalogExpired", format!("the catalog is past its expiry{signed}: {next}")))
        }
    }
}

fn refusal(before: &Status, after: &Status) -> Option<News> {
    let refusal = after.refusal.as_ref()?;
    let same = |old: &crate::crd::RefusalStatus| (old.code, &old.subject) == (refusal.code, &refusal.subject);
    if before.refusal.as_ref().is_some_and(same) {
        return None;
    }
    let message = format!("refused {}: {}; {}", refusal.subject, refusal.detail, refusal.hint);
    Some(News::error(&format!("Refused{}", refusal.code.as_str()), message))
}

/// A successor is told once when it is first seen, and again when what became of it changes for another reason.
fn moves(before: &Status, after: &Status) -> Vec<News> {
    let same = |old: &MoveStatus, new: &MoveStatus| {
        (&old.from, &old.to, old.state) == (&new.from, &new.to, new.state)
    };
    let new = after.moves.iter().filter(|new| before.moves.iter().all(|old| !same(old, new)));
    let tell = |moved: &MoveStatus| match moved.state {
        MoveState::Followed => News::info("MoveFollowed", moved.to_string()),
        _ => News::error("MoveNotFollowed", moved.to_string()),
    };
    new.map(tell).collect()
}

fn policy(before: &Status, after: &Status) -> Option<News> {
    let message = "the policy allows more than at the decision before; recorded in the decision record";
    (after.policy_loosened && !before.policy_loosened).then(|| News::info("PolicyLoosened", message))
}

fn suspended(before: &Status, after: &Status) -> Vec<News> {
    let is_suspended = |status: &Status, name| {
        status.components.iter().any(|c| c.name == name && c.state == ComponentState::Suspended)
    };
    let new = after.components.iter().filter(|component| {
        component.state == ComponentState::Suspended && !is_suspended(before, component.name.clone())
    });
    let tell = |component: &crate::crd::ComponentStatus| {
        let message =
            format!("`{}` is suspended in Flux: no level starts until it is resumed", component.name);
        News::info("ComponentSuspended", message).of(Some(&component.name))
    };
    new.map(tell).collect()
}

/// Levels that came to an end; a bad one is told by the phases, if it is still the target.
fn ended(before: &Status, after: &Status) -> Vec<News> {
    let new = after.history.iter().take_while(|entry| before.history.first() != Some(entry));
    let tell = |entry: &HistoryEntry| match entry.result {
        HistoryResult::Healthy => {
            let message = format!("level {} is installed, healthy and settled", entry.level);
            vec![News::info("LevelHealthy", message).about(entry.level, entry.release_digest)]
        }
        HistoryResult::Failed if !shows_failure(after, entry) => failed_behind(before, entry),
        HistoryResult::Failed | HistoryResult::TakenBack => vec![],
    };
    let new: Vec<_> = new.collect();
    new.into_iter().rev().flat_map(tell).collect()
}

fn shows_failure(status: &Status, entry: &HistoryEntry) -> bool {
    let target = status.target.as_ref().filter(|target| target.release_digest == entry.release_digest);
    target.is_some_and(|target| target.failed.is_some())
}

/// A newer level waits already and is the target: without this nobody would hear of the failure.
fn failed_behind(before: &Status, entry: &HistoryEntry) -> Vec<News> {
    let (level, failed) = (entry.level, entry.failed.as_ref());
    let culprit = failed.map_or_else(String::new, |name| format!(" at `{name}`"));
    let mut found = Vec::new();
    if !shows_failure(before, entry) {
        found.push(News::error("LevelFailed", format!("level {level} failed{culprit}")));
    }
    let message =
        format!("level {level} failed{culprit} and is not tried again without a newer grant or level");
    found.push(News::error("Quarantined", message));
    found.into_iter().map(|news| news.of(failed).about(level, entry.release_digest)).collect()
}

fn target_moved(before: Option<&TargetStatus>, after: &TargetStatus) -> Vec<News> {
    let same = before.filter(|old| {
        (old.level, old.release_digest, old.attempt) == (after.level, after.release_digest, after.attempt)
    });
    let was = same.map(|old| old.phase);
    let entered = |phase: TargetPhase| after.phase == phase && was != Some(phase);
    let (level, failed) = (after.level, after.failed.as_ref());
    let cause = after.cause.as_ref().map_or_else(String::new, |cause| format!(" ({cause})"));
    let culprit = failed.map_or_else(String::new, |name| format!(" at `{name}`{cause}"));
    let mut found = Vec::new();
    if entered(TargetPhase::Applying) {
        let attempt = after.attempt.unwrap_or(1);
        found.push(News::info("LevelStarted", format!("level {level} started, attempt {attempt}")));
    }
    if let (Some(TargetPhase::Applying), TargetPhase::Applying) = (was, after.phase)
        && let (Some(old), Some(stage)) = (same.and_then(|old| old.stage), after.stage)
        && old < stage
    {
        found.push(News::info(
            "StageDone",
            format!("stage {old} of level {level} is healthy; stage {stage} follows"),
        ));
    }
    if failed.is_some() && same.and_then(|old| old.failed.as_ref()).is_none() {
        let message = format!("level {level} failed{culprit}; what it touched is put back");
        found.push(News::error("LevelFailed", message).of(failed));
    }
    if was == Some(TargetPhase::GoingBack) && after.phase != TargetPhase::GoingBack {
        let message = format!("what level {level} touched is back at the last good level, if it may go back");
        found.push(News::info("GoneBack", message).of(failed));
    }
    if entered(TargetPhase::Quarantined) {
        let left = words(&after.left_behind);
        let message = format!(
            "level {level} failed{culprit} and is not tried again without a newer grant or level{left}"
        );
        found.push(News::error("Quarantined", message).of(failed));
    }
    if entered(TargetPhase::TakenBack) {
        let message =
            format!("a person took level {level} back; nothing starts until `spec.rollback` is removed");
        found.push(News::info("TakenBack", message));
    }
    found.into_iter().map(|news| news.about(level, after.release_digest)).collect()
}

/// The first obstacle stands for all: an event for each of them at each midnight helps nobody.
fn blocked(before: &Status, after: &Status) -> Option<News> {
    let first = |status: &Status| Some((status.target.as_ref()?.level, status.obstacles.first()?.code));
    let (was, is): (Option<(_, ObstacleCode)>, _) = (first(before), first(after));
    if was == is {
        return None;
    }
    let news = match (after.obstacles.first(), &after.target, was) {
        (Some(obstacle), Some(target), _) => {
            let next = obstacle.next.map_or_else(String::new, |at| format!("; possible from {at}"));
            let text = format!("level {} waits: {}: {}{next}", target.level, obstacle.code, obstacle.detail);
            News::info("Blocked", text)
        }
        (_, _, Some((level, code))) => {
            News::info("Unblocked", format!("level {level} waits no more for {code}"))
        }
        _ => return None,
    };
    Some(match &after.target {
        Some(target) => news.about(target.level, target.release_digest),
        None => news,
    })
}

/// Conditions that are an event by being there.
fn appeared(before: &Status, after: &Status) -> Vec<News> {
    let find = |status: &Status, kind: ConditionType| {
        status.conditions.iter().find(|c| c.type_ == kind.as_str() && c.status == "True").cloned()
    };
    let mut found = Vec::new();
    let contested =
        |status: &Status| find(status, ConditionType::Stalled).filter(|it| it.reason == "ForeignWriter");
    if let (None, Some(condition)) = (contested(before), contested(after)) {
        found.push(News::error(&condition.reason, condition.message));
    }
    let kinds = [
        ConditionType::EarlierRing,
        ConditionType::Exposed,
        ConditionType::Mixed,
        ConditionType::ForeignImage,
    ];
    for kind in kinds {
        if let (None, Some(condition)) = (find(before, kind), find(after, kind)) {
            found.push(News::error(kind.as_str(), condition.message));
        }
    }
    found
}

#[cfg(test)]
mod tests;
