//! Patches whose objects aren't known here: chosen by labels or expressions, generated, or somebody else's. Pure.

use serde_json::{Value, json};

use super::file::Target;
use super::plugin;

/// As an object that is called by its place: under its own name it would stand for the object that it is for.
pub(super) fn patch(place: &str, number: usize, target: Option<&Target>, patch: &Value) -> Value {
    let name = match number {
        0 => place.to_owned(),
        more => format!("{place}, document {}", more + 1),
    };
    json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "metadata": { "name": name },
        "spec": { "target": target, "patch": patch },
    })
}

/// True if it copies or moves something to where an image may be: a value that it writes itself is seen.
pub(super) fn may_bring_an_image(patch: &Value) -> bool {
    let mut operations = patch.as_array().into_iter().flatten();
    operations.any(|operation| {
        let path = operation["path"].as_str().unwrap_or_default();
        let last = path.rsplit('/').next().unwrap_or_default();
        let copies = matches!(operation["op"].as_str(), Some("copy" | "move"));
        copies && (plugin::may_hold_an_image(last) || last.parse::<u32>().is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_are_copied_are_told_from_what_is_written_and_from_other_fields() {
        for (operation, found) in [
            (json!({ "op": "copy", "from": "/data/a", "path": "/spec/containers/0/image" }), true),
            (json!({ "op": "move", "from": "/data/a", "path": "/spec/containers/-" }), true),
            (json!({ "op": "copy", "from": "/data/a", "path": "/spec/containers/1" }), true),
            (json!({ "op": "copy", "from": "/data/a", "path": "/data/b" }), false),
            (json!({ "op": "add", "path": "/spec/containers/0/image", "value": "a" }), false),
        ] {
            assert_eq!(may_bring_an_image(&json!([operation])), found, "{operation}");
        }
    }
}
