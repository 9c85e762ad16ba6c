//! `kind: List` and its like.

use serde_json::Value;

/// The objects of a `List`, of lists in it too, or the object itself.
pub(crate) fn items(object: &Value) -> Vec<&Value> {
    match (object["kind"].as_str(), object["items"].as_array()) {
        (Some(kind), Some(inner)) if kind.ends_with("List") => inner.iter().flat_map(items).collect(),
        _ => vec![object],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_its_objects_however_deep_they_lie() {
        let (pod, map) = (json!({ "kind": "Pod" }), json!({ "kind": "ConfigMap", "items": [1] }));
        let inner = json!({ "kind": "PodList", "items": [pod] });
        let list = json!({ "kind": "List", "items": [inner, map] });
        assert_eq!(items(&list), [&pod, &map]);
        assert_eq!(items(&pod), [&pod]);
        assert!(items(&json!({ "kind": "List", "items": [] })).is_empty());
    }
}
