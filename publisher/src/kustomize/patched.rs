//! Patches, applied to the objects that they are for: strategic merges, and JSON patches. Pure.
//!
//! Lists are merged by the keys that Kubernetes' own kinds have most often; where another key would count, the elements of the
//! patch stand beside the others.

use serde_json::{Map, Value};

use super::Document;
use super::budget::{Budget, TooMuch};
use super::file::Target;
use super::operations;

/// What an element of a list is called by.
const KEYS: [&str; 5] = ["name", "mountPath", "containerPort", "port", "key"];
const DIRECTIVE: &str = "$patch";

/// True if the patch was for something.
///
/// # Errors
/// What it is too much of; some documents may be changed then, and others not.
pub(super) fn apply(
    patch: &Value,
    target: Option<&Target>,
    documents: &mut Vec<Document>,
    budget: &mut Budget,
) -> Result<bool, TooMuch> {
    let is_for = |value: &Value| target.map_or_else(|| is_same(patch, value), |it| it.takes(value));
    let any = documents.iter().any(|document| is_for(&document.value));
    if patch[DIRECTIVE] == "delete" {
        documents.retain(|document| !is_for(&document.value));
        return Ok(any);
    }
    for object in documents.iter_mut().map(|document| &mut document.value) {
        if is_for(object) {
            change(object, patch, budget)?;
        }
    }
    Ok(any)
}

fn change(object: &mut Value, patch: &Value, budget: &mut Budget) -> Result<(), TooMuch> {
    if let Value::Array(operations) = patch {
        return operations.iter().try_for_each(|it| operations::apply(object, it, budget));
    }
    budget.write(patch, 0)?;
    merge(object, patch);
    Ok(())
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
        let any = apply(patch, target.as_ref(), &mut documents, &mut Budget::default()).unwrap();
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

    #[test]
    fn what_is_merged_into_many_objects_counts_for_each() {
        let document = || Document { path: "a".into(), value: deployment() };
        let mut documents: Vec<_> = std::iter::repeat_with(document).take(100).collect();
        let patch = json!({ "metadata": { "annotations": { "a": "x".repeat(1 << 20) } } });
        let target = Target::default();
        let found = apply(&patch, Some(&target), &mut documents, &mut Budget::default());
        assert!(matches!(found, Err(TooMuch::Size)), "{found:?}");
    }
}
