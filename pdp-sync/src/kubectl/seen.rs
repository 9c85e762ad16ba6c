//! What a subscription says of itself, asked in one place.

use std::sync::LazyLock;

use kube::ResourceExt;
use pdp_policies::{Level, PdpId, outlives};

use super::words;
use crate::crd::{ComponentState, Condition, ConditionType, UpdateSubscription, UpdateSubscriptionStatus};

/// Where the reason of `kubectl pdp suspend` stands.
pub(super) const SUSPEND_REASON: &str = "updates.pdp.wso2.com/suspend-reason";

static NEVER: LazyLock<UpdateSubscriptionStatus> = LazyLock::new(UpdateSubscriptionStatus::default);

/// Its status, empty before pdp-sync first looked at it.
pub(super) fn status(of: &UpdateSubscription) -> &UpdateSubscriptionStatus {
    of.status.as_ref().unwrap_or(&NEVER)
}

/// True once pdp-sync has looked at it: conditions are the first thing that it writes.
pub(super) fn looked_at(of: &UpdateSubscription) -> bool {
    !status(of).conditions.is_empty()
}

/// True if it was edited since pdp-sync looked last. `observedGeneration` doesn't tell: it stays behind while
/// something is under way.
pub(super) fn edited(of: &UpdateSubscription) -> bool {
    let ready = status(of).conditions.iter().find(|c| c.type_ == ConditionType::Ready.as_str());
    let looked = ready.and_then(|ready| ready.observed_generation).or(status(of).observed_generation);
    of.metadata.generation > looked
}

/// The data plane's name to the world.
pub(super) fn id(of: &UpdateSubscription) -> PdpId {
    PdpId { organization: of.spec.organization.clone(), data_plane: of.spec.data_plane.clone() }
}

/// As arguments of a command: `NAME -n NAMESPACE`.
pub(super) fn place(of: &UpdateSubscription) -> String {
    format!("{} -n {}", of.name_any(), of.namespace().unwrap_or_default())
}

/// A condition, if it is true.
pub(super) fn condition(of: &UpdateSubscription, r#type: ConditionType) -> Option<&Condition> {
    status(of).conditions.iter().find(|c| c.type_ == r#type.as_str() && c.status == "True")
}

/// A condition's status as it stands, `-` if it isn't there.
pub(super) fn condition_word(of: &UpdateSubscription, r#type: ConditionType) -> &str {
    status(of).conditions.iter().find(|c| c.type_ == r#type.as_str()).map_or("-", |c| c.status.as_str())
}

/// A level and its version: `level 40 (2026.10)`.
pub(super) fn level_words(of: &UpdateSubscription) -> String {
    let status = status(of);
    let version = status.version.as_ref().map_or_else(String::new, |version| format!(" ({version})"));
    status
        .level
        .map_or_else(|| "nothing installed".to_owned(), |Level(level)| format!("level {level}{version}"))
}

/// How all of it is, in a few words.
pub(super) fn health(of: &UpdateSubscription) -> String {
    let unwell = status(of).components.iter().filter(|c| c.state != ComponentState::Healthy).count();
    if condition(of, ConditionType::Mixed).is_some() {
        return "✗ mixed: components of two levels side by side".to_owned();
    }
    match (condition(of, ConditionType::Healthy), unwell) {
        (Some(_), _) => "✔ healthy".to_owned(),
        (None, 0) => "◎ health not known".to_owned(),
        (None, unwell) => format!("◎ {unwell} of {} components not healthy", status(of).components.len()),
    }
}

/// The target in words, none if there is nothing newer.
pub(super) fn target_words(of: &UpdateSubscription) -> Option<String> {
    let target = status(of).target.as_ref()?;
    let mut words = format!("level {} {}", target.level, words::phase(target.phase));
    if let Some(stage) = target.stage {
        words += &format!(", stage {stage}");
    }
    if let Some(attempt) = target.attempt.filter(|attempt| *attempt > 1) {
        words += &format!(", attempt {attempt}");
    }
    if let Some(failed) = &target.failed {
        let cause = target.cause.as_ref().map_or_else(String::new, |cause| format!(": {cause}"));
        let left = outlives::words(&target.left_behind);
        words += &format!(" (`{failed}` failed{cause}{left})");
    }
    Some(words)
}
