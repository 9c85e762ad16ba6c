//! `kind: List` and its like.

use serde_json::Value;

/// The objects of a `List`, or the object itself.
pub(crate) fn items(object: &Value) -> Vec<&Value> {
    match (object["kind"].as_str(), object["items"].as_array()) {
        (Some(kind), Some(items)) if kind.ends_with("List") => items.iter().collect(),
        _ => vec![object],
    }
}
