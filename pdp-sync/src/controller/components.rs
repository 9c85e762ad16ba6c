//! How each component is, for the status. Pure.

use pdp_policies::decision::{DecisionRecord, Phase};
use pdp_policies::flux::Health;
use pdp_policies::release::Component;
use pdp_policies::{Level, ObstacleCode, Turn};

use super::status::Facts;
use crate::crd::{ComponentState, ComponentStatus, UpdateSubscriptionStatus as Status};
use crate::status::Seen;
use crate::target::{Tidied, UnderWay};

/// Every component of the installed level, or of the one that is under way; what isn't known now stays as it was said.
pub(super) fn of(facts: &Facts<'_>, before: &Status) -> Vec<ComponentStatus> {
    let Some(record) = facts.record else { return before.components.clone() };
    let inputs = record.inputs();
    let all = record.target().components_for(inputs.platform, &inputs.left_out);
    match &facts.outcome.seen {
        Seen::UnderWay(under_way) => all.iter().map(|c| on_the_way(record, c, under_way)).collect(),
        _ if facts.outcome.tidied.components.is_empty() => before.components.clone(),
        _ => all.iter().filter_map(|c| at_rest(record, c, &facts.outcome.tidied)).collect(),
    }
}

/// True if components of the failed level run beside those of the last good one.
pub(super) fn is_mixed(record: &DecisionRecord, components: &[ComponentStatus]) -> bool {
    let failed = matches!(record.phase(), Phase::Quarantined { .. } | Phase::TakenBack {});
    let target = record.target();
    let beside = |good: Level| components.iter().any(|it| it.level == target.level && it.level != good);
    failed && record.last_good().is_some_and(|good| beside(good.level))
}

fn on_the_way(record: &DecisionRecord, component: &Component, under_way: &UnderWay) -> ComponentStatus {
    let open = under_way.components.iter().find(|it| it.name == component.name);
    let (state, reason) = match open {
        Some(open) => (state(&open.health, true), reason(&open.health)),
        None if Turn::of(component) <= under_way.turn && !under_way.back => (ComponentState::Healthy, None),
        None if under_way.back => (ComponentState::Progressing, None),
        None => (ComponentState::Pending, None),
    };
    component_status(record.target().level, component, state, reason)
}

fn at_rest(record: &DecisionRecord, component: &Component, tidied: &Tidied) -> Option<ComponentStatus> {
    let seen = tidied.components.iter().find(|it| it.name == component.name)?;
    let foreign = tidied.foreign.get(&component.name);
    let foreign = foreign.map(|words| format!("{}: {words}", ObstacleCode::ForeignImage));
    let (state, reason) = (state(&seen.health, false), reason(&seen.health).or(foreign));
    let done = matches!(record.phase(), Phase::Done {});
    let Some(good) = record.last_good().filter(|_| !done && !tidied.held.contains(&component.name)) else {
        return Some(component_status(record.target().level, component, state, reason));
    };
    let before = good.components.iter().find(|it| it.name == component.name)?;
    Some(component_status(good.level, before, state, reason))
}

fn component_status(
    level: Level,
    component: &Component,
    state: ComponentState,
    reason: Option<String>,
) -> ComponentStatus {
    let (name, version) = (component.name.clone(), component.version.clone());
    ComponentStatus { name, level, version, digest: component.artifact.digest(), state, reason }
}

fn state(health: &Health, settling: bool) -> ComponentState {
    match health {
        Health::NotThere | Health::Progressing(_) => ComponentState::Progressing,
        Health::Suspended => ComponentState::Suspended,
        Health::Waiting(_) => ComponentState::Waiting,
        Health::Healthy { .. } if settling => ComponentState::Settling,
        Health::Healthy { .. } => ComponentState::Healthy,
        Health::Failed(_) => ComponentState::Failed,
    }
}

/// Flux's reason, or ours, unless it is healthy.
pub(super) fn reason(health: &Health) -> Option<String> {
    match health {
        Health::Waiting(reason) | Health::Progressing(reason) | Health::Failed(reason) => {
            Some(reason.clone())
        }
        Health::NotThere => Some("NotThere".to_owned()),
        Health::Suspended => Some("ComponentSuspended".to_owned()),
        Health::Healthy { .. } => None,
    }
}
