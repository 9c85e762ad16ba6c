//! What a proposal changes in who holds what, as people say it.

use std::collections::BTreeSet;

use pdp_policies::trust::Role;
use serde_json::Value;

use super::holder_change::{entry, holder, ids, threshold};
use super::role::RoleFile;

/// One line for each key that comes or goes, and for each other number of signatures.
pub(crate) fn of_holders(before: &RoleFile, after: &RoleFile) -> Vec<String> {
    let below = Role::ALL.into_iter().filter(|role| role.parent() == after.role);
    below.flat_map(|role| of_role(&before.signed, &after.signed, role)).collect()
}

fn of_role(before: &Value, after: &Value, role: Role) -> Vec<String> {
    let ((old, was), (new, is)) = (held(before, role), held(after, role));
    let mut lines = Vec::new();
    lines.extend(old.difference(&new).map(|id| format!("{role}: {} holds it NO MORE", named(before, id))));
    lines.extend(new.difference(&old).map(|id| format!("{role}: {} holds it from now on", named(after, id))));
    if was != is {
        lines.push(format!("{role}: {is} of {} must sign, not {was} of {}", new.len(), old.len()));
    }
    lines
}

fn held(signed: &Value, role: Role) -> (BTreeSet<String>, usize) {
    let Ok(entry) = entry(signed, role) else { return (BTreeSet::new(), 0) };
    (ids(entry).into_iter().collect(), threshold(entry))
}

fn named(signed: &Value, id: &str) -> String {
    let short: String = id.chars().take(12).collect();
    match holder(signed, id) {
        Some(holder) => format!("`{holder}` (key {short})"),
        None => format!("key {short}"),
    }
}
