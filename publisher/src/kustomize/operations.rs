//! Operations of JSON patches (RFC 6902), within a budget. Pure.

use serde_json::Value;

use super::budget::{Budget, TooMuch};

/// Changes what is there; `test` is taken to hold.
///
/// # Errors
/// What it is too much of.
pub(super) fn apply(object: &mut Value, operation: &Value, budget: &mut Budget) -> Result<(), TooMuch> {
    budget.operation()?;
    let text = |name: &str| operation[name].as_str().unwrap_or_default();
    let moved = || object.pointer(text("from"));
    let (value, gone) = match text("op") {
        "add" | "replace" => (operation.get("value"), None),
        "remove" => (None, Some(text("path"))),
        "copy" => (moved(), None),
        "move" => (moved(), Some(text("from"))),
        _ => return Ok(()),
    };
    // Before it is cloned: what is copied may be the object itself.
    value.into_iter().try_for_each(|value| budget.write(value, text("path").matches('/').count()))?;
    let value = value.cloned();
    gone.into_iter().for_each(|path| take(object, path));
    value.into_iter().for_each(|value| put(object, text("path"), text("op") != "replace", value));
    Ok(())
}

fn parent<'a>(object: &'a mut Value, path: &str) -> Option<(&'a mut Value, String)> {
    let (above, name) = path.rsplit_once('/')?;
    Some((object.pointer_mut(above)?, name.replace("~1", "/").replace("~0", "~")))
}

fn take(object: &mut Value, path: &str) {
    match parent(object, path) {
        Some((Value::Object(fields), name)) => drop(fields.remove(&name)),
        Some((Value::Array(list), name)) => {
            name.parse::<usize>()
                .ok()
                .filter(|at| *at < list.len())
                .into_iter()
                .for_each(|at| drop(list.remove(at)));
        }
        _ => {}
    }
}

fn put(object: &mut Value, path: &str, inserts: bool, value: Value) {
    match parent(object, path) {
        Some((Value::Object(fields), name)) => drop(fields.insert(name, value)),
        Some((Value::Array(list), name)) => match name.parse::<usize>() {
            Ok(at) if inserts && at <= list.len() => list.insert(at, value),
            Ok(at) => list.get_mut(at).into_iter().for_each(|old| *old = value.clone()),
            Err(_) => list.push(value),
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The same operation again and again, until it is too much.
    fn until_it_is_too_much(operation: &Value) -> (Value, Option<TooMuch>) {
        let (mut object, mut budget) = (json!({ "a": [{ "b": "c" }] }), Budget::default());
        let end = (0..1_000_000).find_map(|_| apply(&mut object, operation, &mut budget).err());
        (object, end)
    }

    #[test]
    fn an_object_that_is_copied_into_itself_ends() {
        let (_, end) = until_it_is_too_much(&json!({ "op": "copy", "from": "/a", "path": "/a/-" }));
        assert_eq!(end, Some(TooMuch::Size));
        let (_, end) = until_it_is_too_much(&json!({ "op": "copy", "from": "", "path": "/a/0/b" }));
        assert_eq!(end, Some(TooMuch::Depth));
    }

    #[test]
    fn operations_without_number_end() {
        let (object, end) = until_it_is_too_much(&json!({ "op": "remove", "path": "/a/0" }));
        assert_eq!((object, end), (json!({ "a": [] }), Some(TooMuch::Operations)));
    }
}
