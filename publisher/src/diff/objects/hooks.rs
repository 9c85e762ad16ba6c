//! Hooks that Helm runs when a release is updated or goes back.

use serde::Serialize;
use serde_json::Value;

use crate::kubernetes_list::items;

const HOOK: &str = "helm.sh/hook";
/// Those of an installation and of its end don't run here.
const RUN: [&str; 4] = ["pre-upgrade", "post-upgrade", "pre-rollback", "post-rollback"];

/// One hook of the new level.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Hook {
    /// `Kind name`.
    pub(crate) object: String,
    /// When it runs, such as `pre-upgrade`.
    pub(crate) when: Vec<String>,
    /// True if the level before didn't have it, or another one.
    pub(crate) changed: bool,
}

pub(super) fn is_hook(object: &Value) -> bool {
    object["metadata"]["annotations"][HOOK].is_string()
}

pub(super) fn of(was: &[Value], is: &[Value]) -> Vec<Hook> {
    let old: Vec<_> = was.iter().flat_map(items).collect();
    let new = is.iter().flat_map(items).filter(|object| is_hook(object));
    new.filter_map(|object| {
        let when = when(object);
        let text = |value: &Value| pdp_policies::printable(value.as_str().unwrap_or_default()).to_string();
        let named = format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]));
        let changed = !old.contains(&object);
        (!when.is_empty()).then_some(Hook { object: named, when, changed })
    })
    .collect()
}

fn when(object: &Value) -> Vec<String> {
    let all = object["metadata"]["annotations"][HOOK].as_str().unwrap_or_default();
    all.split(',').map(str::trim).filter(|it| RUN.contains(it)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hook(name: &str, when: &str, image: &str) -> Value {
        json!({ "kind": "Job", "metadata": { "name": name, "annotations": { HOOK: when } }, "spec": { "image": image } })
    }

    #[test]
    fn hooks_of_an_update_are_told_and_those_of_an_installation_are_not() {
        let was = [hook("a", "pre-upgrade", "1"), hook("b", "post-upgrade", "1")];
        let is = [
            hook("a", "pre-upgrade", "1"),
            hook("b", "post-upgrade", "2"),
            hook("c", "pre-install, pre-rollback", "1"),
            hook("d", "post-install", "1"),
            json!({ "kind": "Job", "metadata": { "name": "e" } }),
        ];
        let found: Vec<_> = of(&was, &is).into_iter().map(|it| (it.object, it.when, it.changed)).collect();
        let expected = [
            ("Job a", "pre-upgrade", false),
            ("Job b", "post-upgrade", true),
            ("Job c", "pre-rollback", true),
        ];
        assert_eq!(
            found,
            expected.map(|(name, when, changed)| (name.to_owned(), vec![when.to_owned()], changed))
        );
    }
}
