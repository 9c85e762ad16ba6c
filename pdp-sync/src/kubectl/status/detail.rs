//! One data plane in detail.

use pdp_policies::At;

use crate::crd::{
    CatalogState, CatalogStatus, ComponentState, ComponentStatus, ConditionType, HistoryEntry,
    InstructionStatus, ObstacleStatus, UpdateSubscription,
};
use crate::kubectl::{seen, words};
use crate::status::move_words;

/// Everything worth knowing, the important first.
pub(super) fn text(of: &UpdateSubscription, now: At) -> String {
    let status = seen::status(of);
    let mut lines = vec![format!("{}  {}  {}", seen::id(of), seen::level_words(of), seen::health(of))];
    if !seen::looked_at(of) {
        lines.push("  ◎ pdp-sync hasn't looked at it yet".to_owned());
    }
    if of.spec.suspend {
        lines.push(format!("  ✗ suspended: {}", suspend_reason(of)));
    }
    if let Some(rollback) = &of.spec.rollback {
        lines.push(format!("  ✗ rollback from level {}: {}", rollback.from, rollback.reason));
    }
    lines.extend(seen::target_words(of).map(|target| format!("  {} {target}", target_sign(of))));
    let unwell = status.components.iter().filter(|c| c.state != ComponentState::Healthy);
    lines.extend(unwell.map(component));
    lines.extend(status.catalog.as_ref().map(|catalog| catalog_words(catalog, now)));
    lines.extend(status.instruction.as_ref().map(instruction));
    lines.extend(status.moves.iter().map(move_words));
    if let Some(refusal) = &status.refusal {
        lines.push(format!("  ✗ refused {}: {}: {}", refusal.code, refusal.subject, refusal.detail));
        lines.push(format!("    hint: {}", refusal.hint));
    }
    lines.extend(status.obstacles.iter().map(|one| obstacle(one, now)));
    if let Some(next) = &status.next_action {
        lines.push(format!("  next possible {}, then {} is over", words::when(next.at, now), next.code));
    }
    lines.extend(exposed(of));
    lines.extend(status.history.first().map(last_change));
    lines.push(format!("  why it isn't further: kubectl pdp why {}", seen::place(of)));
    lines.join("\n")
}

/// Why it was suspended, as the person said.
pub(in crate::kubectl) fn suspend_reason(of: &UpdateSubscription) -> String {
    let said = of.metadata.annotations.as_ref().and_then(|all| all.get(seen::SUSPEND_REASON));
    said.cloned().unwrap_or_else(|| "nobody said why".to_owned())
}

fn target_sign(of: &UpdateSubscription) -> &'static str {
    let failed = seen::status(of).target.as_ref().is_some_and(|target| target.failed.is_some());
    if failed { "✗" } else { "◎" }
}

fn component(one: &ComponentStatus) -> String {
    let sign = if one.state == ComponentState::Failed { "✗" } else { "◎" };
    let reason = one.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    format!("  {sign} {} {} (level {}) {}{reason}", one.name, one.version, one.level, words::state(one.state))
}

fn catalog_words(catalog: &CatalogStatus, now: At) -> String {
    let signed =
        catalog.signed_at.map_or_else(String::new, |at| format!(", signed {}", words::when(at, now)));
    let (sign, state) = match catalog.state {
        CatalogState::Fresh => ("✔", "fresh"),
        CatalogState::Stale => ("✗ CatalogStale:", "older than 26 hours; levels still start"),
        CatalogState::Expired => ("✗ CatalogExpired:", "past its expiry; nothing new starts"),
    };
    format!("  {sign} catalog {state}{signed} (channels {}, targets {})", catalog.channels, catalog.targets)
}

fn instruction(one: &InstructionStatus) -> String {
    let ceiling = one.ceiling.map_or_else(String::new, |level| format!(", up to level {level}"));
    let earlier = one.earlier_ring.as_ref();
    let earlier = earlier.map_or_else(String::new, |ring| format!("; EarlierRing: the server says `{ring}`"));
    format!("  ◎ levels are opened by {}, ring `{}`{ceiling}{earlier}", words::opener(&one.by), one.ring)
}

fn obstacle(one: &ObstacleStatus, now: At) -> String {
    let until = one.next.map_or_else(String::new, |at| format!(", until {} at least", words::when(at, now)));
    format!("  ✗ {}: {}  [{}{until}]", one.code, one.detail, words::owner(one.owner))
}

fn exposed(of: &UpdateSubscription) -> Option<String> {
    let exposed = seen::condition(of, ConditionType::Exposed)?;
    Some(format!("  ✗ Exposed: {}", exposed.message))
}

fn last_change(one: &HistoryEntry) -> String {
    format!("  last change: level {} {} at {}", one.level, words::result(one.result), one.ended_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubectl::testing::{self, now};

    #[test]
    fn each_state_of_a_data_plane_reads_well() {
        for (name, one) in testing::all() {
            insta::assert_snapshot!(name, text(&one, now()));
        }
    }
}
