//! Patches and replacements that make another object of one: who reads the document that they change doesn't see it. Pure.

use serde_json::Value;

pub(super) const HINT: &str = "write the object as it has to be as a document of its own";

/// The fields at the top that say what an object is.
const TELLING: [&str; 3] = ["apiVersion", "items", "kind"];

/// The places that operations of a JSON patch write or take away, of those that say what the object is.
pub(super) fn changed_by(patch: &Value) -> Vec<String> {
    let operations = patch.as_array().into_iter().flatten();
    let places = operations.flat_map(|operation| match operation["op"].as_str() {
        Some("test") => [None, None],
        Some("move") => [operation["path"].as_str(), operation["from"].as_str()],
        _ => [operation["path"].as_str(), None],
    });
    places.flatten().filter(|place| is_telling(place)).map(str::to_owned).collect()
}

/// True if a replacement writes such a field.
pub(super) fn replaced_by(replacement: &Value) -> bool {
    let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let paths = list(replacement, "targets").into_iter().flat_map(|target| list(&target, "fieldPaths"));
    paths.filter_map(|path| path.as_str().map(str::to_owned)).any(|path| {
        let first = path.split('.').next().unwrap_or_default();
        TELLING.contains(&first) || first == "*"
    })
}

/// The whole object, too. Kustomize doesn't look at what stands before the first `/`.
fn is_telling(place: &str) -> bool {
    let Some((_, inner)) = place.split_once('/') else { return true };
    let first = inner.split('/').next().unwrap_or_default();
    TELLING.contains(&first.replace("~1", "/").replace("~0", "~").as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operations_on_kind_version_items_or_the_whole_are_found() {
        for (operation, found) in [
            (json!({ "op": "replace", "path": "/kind", "value": "A" }), &["/kind"][..]),
            (json!({ "op": "add", "path": "/apiVersion", "value": "a/v1" }), &["/apiVersion"]),
            (json!({ "op": "add", "path": "x/kind", "value": "A" }), &["x/kind"]),
            (json!({ "op": "copy", "from": "/data/a", "path": "/kind" }), &["/kind"]),
            (json!({ "op": "move", "from": "/kind", "path": "/data/a" }), &["/kind"]),
            (json!({ "op": "add", "path": "/items", "value": [] }), &["/items"]),
            (json!({ "op": "add", "path": "/items/-", "value": {} }), &["/items/-"]),
            (json!({ "op": "replace", "path": "", "value": {} }), &[""]),
            (json!({ "op": "test", "path": "/kind", "value": "A" }), &[]),
            (json!({ "op": "copy", "from": "/kind", "path": "/data/a" }), &[]),
            (json!({ "op": "replace", "path": "/spec/kind", "value": "A" }), &[]),
            (json!({ "op": "replace", "path": "/kinds", "value": "A" }), &[]),
        ] {
            assert_eq!(changed_by(&json!([operation])), found, "{operation}");
        }
    }

    #[test]
    fn replacements_of_the_kind_are_found() {
        for (path, found) in
            [("kind", true), ("apiVersion", true), ("items.0", true), ("*", true), ("spec.kind", false)]
        {
            let replacement = json!({ "targets": [{ "fieldPaths": ["metadata.name", path] }] });
            assert_eq!(replaced_by(&replacement), found, "{path}");
        }
    }
}
