//! Patches, applied to the objects that they are for: strategic merges, and JSON patches (RFC 6902). Pure.
//!
//! Lists are merged by the keys that Kubernetes' own kinds have most often; where another key would count, the elements of the
//! patch stand beside the others.

use serde_json::{Map, Value};

use super::Document;
use super::file::Target;

/// What an element of a list is called by.
const KEYS: [&str; 5] = ["name", "mountPath", "containerPort", "port", "key"];
const DIRECTIVE: &str = "$patch";

/// True if the patch was for something.
pub(super) fn apply(patch: &Value, target: Option<&Target>, documents: &mut Vec<Document>) -> bool {
    let gone = patch[DIRECTIVE] == "delete";
    let mut any = false;
    documents.retain_mut(|document| {
        let is_for = target.map_or_else(|| is_same(patch, &document.value), |it| it.takes(&document.value));
        any |= is_for;
        match patch {
            _ if !is_for => {}
            Value::Array(operations) => operations.iter().for_each(|it| operate(&mut document.value, it)),
            _ => merge(&mut document.value, patch),
        }
        !(is_for && gone)
    });
    any
}

/// Without a target a patch says itself which object it is for.
fn is_same(patch: &Value, object: &Value) -> bool {
    let group = |value: &Value| {
        let api = value["apiVersion"].as_str().unwrap_or_default();
        api.rsplit_once('/').map_or_else(String::new, |(group, _)| group.to_owned())
    };
    let space = |value: &Value| value["metadata"]["namespace"].as_str().map(str::to_owned);
    let named = patch["metadata"]["name"].is_string();
    named
        && patch["metadata"]["name"] == object["metadata"]["name"]
        && patch["kind"] == object["kind"]
        && group(patch) == group(object)
        && space(patch).is_none_or(|named| space(object) == Some(named))
}

impl Target {
    /// Names with more than letters, digits and dashes are expressions that nobody reads here: those take nothing.
    fn takes(&self, object: &Value) -> bool {
        let api = object["apiVersion"].as_str().unwrap_or_default();
        let (group, version) = api.split_once('/').unwrap_or(("", api));
        let same = |wanted: &Option<String>, is: Option<&str>| {
            wanted
                .as_deref()
                .filter(|it| !it.is_empty())
                .is_none_or(|wanted| is == Some(wanted) || wanted == ".*")
        };
        self.label_selector.is_none()
            && self.annotation_selector.is_none()
            && same(&self.group, Some(group))
            && same(&self.version, Some(version))
            && same(&self.kind, object["kind"].as_str())
            && same(&self.name, object["metadata"]["name"].as_str())
            && same(&self.namespace, object["metadata"]["namespace"].as_str())
    }
}

fn merge(object: &mut Value, patch: &Value) {
    match (object, patch) {
        (Value::Object(fields), Value::Object(more)) if more.get(DIRECTIVE) != Some(&"replace".into()) => {
            more.iter()
                .filter(|(name, _)| !name.starts_with('$'))
                .for_each(|(name, new)| field(fields, name, new));
        }
        (Value::Array(list), Value::Array(more)) => more.iter().for_each(|new| element(list, new)),
        (object, patch) => *object = without_directives(patch),
    }
}

fn field(fields: &mut Map<String, Value>, name: &str, new: &Value) {
    let gone = new.is_null() || new[DIRECTIVE] == "delete";
    if gone {
        fields.remove(name);
        return;
    }
    match fields.get_mut(name) {
        // Lists without keys are replaced.
        Some(Value::Array(old)) if !has_keys(new) => *old = new.as_array().cloned().unwrap_or_default(),
        Some(old) => merge(old, new),
        None => drop(fields.insert(name.to_owned(), without_directives(new))),
    }
}

fn has_keys(list: &Value) -> bool {
    list.as_array().is_some_and(|list| list.iter().all(|it| key(it).is_some()))
}

fn key(element: &Value) -> Option<(&'static str, &Value)> {
    KEYS.into_iter().find_map(|key| Some((key, element.get(key)?)))
}

fn element(list: &mut Vec<Value>, new: &Value) {
    let Some((name, value)) = key(new) else { return list.push(new.clone()) };
    let at = list.iter().position(|old| old.get(name) == Some(value));
    match at {
        Some(at) if new[DIRECTIVE] == "delete" => drop(list.remove(at)),
        Some(at) => list.get_mut(at).into_iter().for_each(|old| merge(old, new)),
        None => list.push(without_directives(new)),
    }
}

fn without_directives(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| !name.starts_with('$'));
            Value::Object(kept.map(|(name, value)| (name.clone(), without_directives(value))).collect())
        }
        Value::Array(list) => list.iter().map(without_directives).collect(),
        other => other.clone(),
    }
}

/// `add`, `replace` and `remove`; the others stand for what they begin with.
fn operate(object: &mut Value, operation: &Value) {
    let text = |name: &str| operation[name].as_str().unwrap_or_default();
    let value = operation.get("value").cloned();
    let moved = || object.pointer(text("from")).cloned();
    let (value, gone) = match text("op") {
        "add" | "replace" => (value, None),
        "remove" => (None, Some(text("path"))),
        "copy" => (moved(), None),
        "move" => (moved(), Some(text("from"))),
        _ => return,
    };
    gone.into_iter().for_each(|path| take(object, path));
    value.into_iter().for_each(|value| put(object, text("path"), text("op") != "replace", value));
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
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn deployment() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "a" },
            "spec": { "replicas": 1, "template": { "spec": { "containers": [
                { "name": "a", "image": "x:1", "args": ["one"], "env": [{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }] },
            ] } } },
        })
    }

    fn after(patch: &Value, target: Option<Value>) -> (bool, Vec<Value>) {
        let mut documents = vec![Document { path: "a".into(), value: deployment() }];
        let target = target.map(|it| serde_json::from_value(it).unwrap());
        let any = apply(patch, target.as_ref(), &mut documents);
        (any, documents.into_iter().map(|it| it.value).collect())
    }

    #[test]
    fn a_merge_changes_what_it_names_and_keeps_the_rest() {
        let mut patch = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "a" }, "spec": {
            "replicas": null,
            "template": { "spec": { "containers": [
                { "name": "a", "args": ["two"], "env": [{ "name": "A", "value": "3" }, { "name": "B", "$patch": "delete" }] },
                { "name": "b", "image": "y:1" },
            ] } },
        } });
        let (any, found) = after(&patch, None);
        let wanted = json!([
            { "name": "a", "image": "x:1", "args": ["two"], "env": [{ "name": "A", "value": "3" }] },
            { "name": "b", "image": "y:1" },
        ]);
        assert!(any);
        assert_eq!(found[0]["spec"], json!({ "template": { "spec": { "containers": wanted } } }));
        patch["metadata"]["name"] = "other".into();
        assert_eq!(after(&patch, None), (false, vec![deployment()]));
        let gone = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "a" }, "$patch": "delete" });
        assert_eq!(after(&gone, None), (true, vec![]));
    }

    #[test]
    fn operations_change_what_their_target_names() {
        let operations = json!([
            { "op": "replace", "path": "/spec/replicas", "value": 3 },
            { "op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "two" },
            { "op": "add", "path": "/metadata/labels", "value": { "a/b": "1" } },
            { "op": "remove", "path": "/metadata/labels/a~1b" },
            { "op": "remove", "path": "/spec/template/spec/containers/0/env/0" },
            { "op": "remove", "path": "/spec/template/spec/containers/0/env/7" },
        ]);
        let (any, found) = after(&operations, Some(json!({ "kind": "Deployment" })));
        assert!(any);
        assert_eq!((&found[0]["spec"]["replicas"], &found[0]["metadata"]["labels"]), (&json!(3), &json!({})));
        let container = &found[0]["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["args"], json!(["one", "two"]));
        assert_eq!(container["env"], json!([{ "name": "B", "value": "2" }]));
        for other in
            [json!({ "kind": "Service" }), json!({ "labelSelector": "a=b" }), json!({ "name": "a.*b" })]
        {
            assert_eq!(after(&operations, Some(other)), (false, vec![deployment()]));
        }
    }
}
