//! `kind: List` and its like.

use std::collections::BTreeSet;

use pdp_policies::printable;
use serde_json::Value;

pub(crate) const HINT: &str = "write each object as a document of its own, or call the list `List`; no object has a field `items` at its top";

/// The objects of a list, of lists in it too, or the object itself. Helm and Flux take whatever has a list `items` for a list
/// and apply what is in it, whatever kind is written beside it.
pub(crate) fn items(object: &Value) -> Vec<&Value> {
    match object["items"].as_array() {
        Some(inner) => inner.iter().flat_map(items).collect(),
        None => vec![object],
    }
}

/// True if it says itself that it is a list: kustomize goes by this.
pub(crate) fn is_named_so(object: &Value) -> bool {
    object["kind"].as_str().is_some_and(|kind| kind.ends_with("List"))
}

/// `Kind/name` of lists that aren't called one, also of those in lists.
pub(crate) fn hidden(objects: &[Value]) -> BTreeSet<String> {
    objects.iter().flat_map(hidden_in).map(shown).collect()
}

fn hidden_in(object: &Value) -> Vec<&Value> {
    let Some(inner) = object["items"].as_array() else { return Vec::new() };
    let own = (!is_named_so(object)).then_some(object);
    own.into_iter().chain(inner.iter().flat_map(hidden_in)).collect()
}

fn shown(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    printable(&format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"]))).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_its_objects_however_deep_they_lie() {
        let (pod, map) = (json!({ "kind": "Pod" }), json!({ "kind": "ConfigMap", "items": { "a": 1 } }));
        let inner = json!({ "kind": "PodList", "items": [pod] });
        let list = json!({ "kind": "List", "items": [inner, map] });
        assert_eq!(items(&list), [&pod, &map]);
        assert_eq!(items(&pod), [&pod]);
        assert!(items(&json!({ "kind": "List", "items": [] })).is_empty());
        assert!(hidden(&[list, pod]).is_empty());
    }

    #[test]
    fn what_has_items_is_a_list_whatever_it_is_called() {
        let pod = json!({ "kind": "Pod" });
        for kind in [json!("ConfigMap"), json!("Listed"), json!(null)] {
            let object = json!({ "kind": kind, "metadata": { "name": "a" }, "items": [pod] });
            assert_eq!(items(&object), [&pod], "{kind}");
            let name = format!("{}/a", kind.as_str().unwrap_or_default());
            assert_eq!(hidden(std::slice::from_ref(&object)), BTreeSet::from([name.clone()]));
            let list = json!({ "kind": "List", "items": [object] });
            assert_eq!(hidden(&[list]), BTreeSet::from([name]));
        }
    }
}
