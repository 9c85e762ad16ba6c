//! Two changes of one document, made apart: both together, where they change different values.

use serde_json::{Map, Value};

/// The document with both changes; or the path of the first value that both change, each to something else.
///
/// Lists are values: two changes of one list stand against each other.
pub(super) fn three_way(base: &Value, one: &Value, other: &Value) -> Result<Value, String> {
    let merged = merge("", Some(base), Some(one), Some(other))?;
    Ok(merged.unwrap_or(Value::Null))
}

fn merge(
    path: &str,
    base: Option<&Value>,
    one: Option<&Value>,
    other: Option<&Value>,
) -> Result<Option<Value>, String> {
    if one == base || one == other {
        return Ok(other.cloned());
    }
    if other == base {
        return Ok(one.cloned());
    }
    let none = Map::new();
    let stands_against = || path.trim_start_matches('.').to_owned();
    let (Some(Value::Object(one)), Some(Value::Object(other))) = (one, other) else {
        return Err(stands_against());
    };
    // What both add is merged as if it had been empty: two levels of a map that wasn't there.
    let base = base.map_or(Some(&none), Value::as_object).ok_or_else(stands_against)?;
    let mut merged = Map::new();
    for name in one.keys().chain(other.keys().filter(|name| !one.contains_key(*name))) {
        let below = format!("{path}.{name}");
        if let Some(value) = merge(&below, base.get(name), one.get(name), other.get(name))? {
            merged.insert(name.clone(), value);
        }
    }
    Ok(Some(Value::Object(merged)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_of_different_values_come_together_and_others_are_named() {
        for (base, one, other, both) in [
            (json!({ "a": 1 }), json!({ "a": 1 }), json!({ "a": 2 }), Ok(json!({ "a": 2 }))),
            (json!({ "a": 1 }), json!({ "a": 2 }), json!({ "a": 1 }), Ok(json!({ "a": 2 }))),
            (json!({ "a": 1 }), json!({ "a": 2 }), json!({ "a": 2 }), Ok(json!({ "a": 2 }))),
            (json!({ "a": 1 }), json!({ "a": 2 }), json!({ "a": 3 }), Err("a")),
            (json!({}), json!({ "a": 1 }), json!({ "b": 2 }), Ok(json!({ "a": 1, "b": 2 }))),
            (
                json!({}),
                json!({ "m": { "a": 1 } }),
                json!({ "m": { "b": 2 } }),
                Ok(json!({ "m": { "a": 1, "b": 2 } })),
            ),
            (json!({}), json!({ "m": { "a": 1 } }), json!({ "m": { "a": 2 } }), Err("m.a")),
            (json!({ "a": 1, "b": 1 }), json!({ "b": 1 }), json!({ "a": 1, "b": 2 }), Ok(json!({ "b": 2 }))),
            (json!({ "a": 1, "b": 1 }), json!({ "b": 1 }), json!({ "a": 2, "b": 1 }), Err("a")),
            (json!({ "a": 1, "b": 1 }), json!({ "b": 1 }), json!({ "a": 1 }), Ok(json!({}))),
            (json!({ "l": [1] }), json!({ "l": [1, 2] }), json!({ "l": [1, 3] }), Err("l")),
            (json!({ "m": 1 }), json!({ "m": { "a": 1 } }), json!({ "m": { "b": 1 } }), Err("m")),
            (json!({ "a": null }), json!({}), json!({ "a": null, "b": 1 }), Ok(json!({ "b": 1 }))),
        ] {
            let found = three_way(&base, &one, &other);
            assert_eq!(found, both.clone().map_err(str::to_owned), "{base} {one} {other}");
            assert_eq!(three_way(&base, &other, &one), both.map_err(str::to_owned), "{base} {other} {one}");
        }
    }
}
