#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

/// A definition with one version whose `spec` has this schema.
fn with_spec(spec: Value) -> Value {
    let schema =
        json!({ "type": "object", "properties": { "metadata": { "type": "object" }, "spec": spec } });
    let version =
        json!({ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema } });
    with_versions(json!([version]))
}

fn with_versions(versions: Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "gates.example.com" },
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": { "kind": "Gate", "plural": "gates" },
            "versions": versions,
        },
    })
}

fn told(old: &Value, new: &Value) -> Vec<String> {
    breaks(old, new).iter().map(ToString::to_string).collect()
}

#[test]
fn a_version_that_goes_is_told_if_objects_or_programs_may_need_it() {
    let version = |name: &str, served: bool, storage: bool| json!({ "name": name, "served": served, "storage": storage });
    let old = [version("v1alpha1", false, false), version("v1beta1", true, false), version("v1", true, true)];
    for (new, wanted) in [
        (json!(old), &[][..]),
        (json!([old[1], old[2]]), &[]),
        (json!([old[2]]), &["version v1beta1 is gone, which was served"]),
        (json!([old[1]]), &["version v1 is gone, in which objects are stored"]),
        (json!([version("v1beta1", false, false), old[2]]), &["version v1beta1 is no longer served"]),
        (json!([old[1], version("v1", true, false), version("v2", true, true)]), &[]),
        (
            json!([]),
            &["version v1 is gone, in which objects are stored", "version v1beta1 is gone, which was served"],
        ),
    ] {
        assert_eq!(told(&with_versions(json!(old)), &with_versions(new.clone())), wanted, "{new}");
    }
}

#[test]
fn scope_and_names_are_compared_with_what_a_cluster_fills_in() {
    for (place, value, wanted) in [
        ("/spec/scope", json!("Cluster"), &["scope Namespaced became Cluster"][..]),
        (
            "/spec/names/kind",
            json!("Door"),
            &["kind Gate became Door", "listKind GateList became DoorList", "singular gate became door"],
        ),
        (
            "/spec/names",
            json!({ "kind": "Gate", "plural": "gates", "singular": "gate", "listKind": "GateList" }),
            &[],
        ),
        ("/spec/names", json!({ "kind": "Gate", "plural": "gates", "shortNames": ["g"] }), &[]),
        ("/spec/group", json!("example.org"), &["group example.com became example.org"]),
        ("/spec/names/plural", json!("gate\u{1b}s"), &["plural gates became gate\\u{1b}s"]),
    ] {
        let old = with_versions(json!([]));
        let mut new = old.clone();
        *new.pointer_mut(place).unwrap() = value;
        assert_eq!(told(&old, &new), wanted, "{place}");
    }
}

#[test]
fn a_field_that_objects_lose_or_are_refused_for_is_told_by_its_place() {
    let object = |properties: Value| json!({ "type": "object", "properties": properties });
    let text = || json!({ "type": "string" });
    let open = || json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    let map = |of: Value| json!({ "type": "object", "additionalProperties": of });
    let list = |of: Value| json!({ "type": "array", "items": of });
    let number = |kind: &str| object(json!({ "n": { "type": kind } }));
    let either = || object(json!({ "n": { "x-kubernetes-int-or-string": true } }));
    for (old, new, wanted) in [
        (object(json!({ "a": text() })), object(json!({ "a": text(), "b": text() })), &[][..]),
        (
            object(json!({ "a": text(), "b": text() })),
            object(json!({ "a": text() })),
            &["v1: spec.b is gone"],
        ),
        (object(json!({ "a": text() })), open(), &[]),
        (object(json!({ "a": text() })), map(text()), &[]),
        (
            object(json!({ "a": text() })),
            map(json!({ "type": "integer" })),
            &["v1: spec.a was string, is integer"],
        ),
        (map(text()), map(json!({ "type": "boolean" })), &["v1: spec.* was string, is boolean"]),
        (map(text()), object(json!({ "a": text() })), &["v1: spec.* is gone"]),
        (map(json!(true)), object(json!({})), &["v1: spec.* is gone"]),
        (open(), object(json!({ "a": text() })), &["v1: spec.* is gone"]),
        (open(), open(), &[]),
        (
            list(object(json!({ "a": text(), "b": { "type": "integer" } }))),
            list(object(json!({ "b": text() }))),
            &["v1: spec[].a is gone", "v1: spec[].b was integer, is string"],
        ),
        (list(text()), text(), &["v1: spec was array, is string"]),
        (number("integer"), number("number"), &[]),
        (number("number"), number("integer"), &["v1: spec.n was number, is integer"]),
        (number("string"), either(), &[]),
        (number("boolean"), either(), &["v1: spec.n was boolean, is integer or string"]),
        (either(), number("string"), &["v1: spec.n was integer or string, is string"]),
        (object(json!({ "a": {} })), object(json!({ "a": text() })), &["v1: spec.a was any, is string"]),
        (object(json!({ "a": text() })), object(json!({ "a": {} })), &[]),
    ] {
        assert_eq!(told(&with_spec(old.clone()), &with_spec(new.clone())), wanted, "{old} {new}");
    }
}

#[test]
fn a_field_that_becomes_required_is_told_unless_it_has_a_default_or_its_place_is_new() {
    let old = json!({ "type": "object", "required": ["a"], "properties": { "a": { "type": "string" } } });
    let new = json!({
        "type": "object", "required": ["a", "b", "c"],
        "properties": {
            "a": { "type": "string" }, "b": { "type": "string" }, "c": { "type": "string", "default": "x" },
            "new": { "type": "object", "required": ["d"], "properties": { "d": { "type": "string" } } },
        },
    });
    assert_eq!(told(&with_spec(old), &with_spec(new)), ["v1: spec.b is now required"]);
}

#[test]
fn what_every_object_has_may_leave_the_schema() {
    let mut bare = with_spec(json!({ "type": "object" }));
    let old = bare.clone();
    let schema = bare.pointer_mut("/spec/versions/0/schema/openAPIV3Schema/properties").unwrap();
    schema.as_object_mut().unwrap().remove("metadata");
    assert_eq!(told(&old, &bare), [""; 0]);
}

#[test]
fn what_is_no_definition_has_no_breaks_and_no_panic() {
    for strange in
        [json!(null), json!([]), json!({ "spec": 7 }), json!({ "spec": { "versions": [1, {}, null] } })]
    {
        assert_eq!(told(&strange, &strange), [""; 0]);
    }
}

#[test]
fn breaks_are_told_apart_by_what_they_stop_and_keep_their_json() {
    let version = || "v1".to_owned();
    let dropped = CrdBreak::StoredVersionDropped { version: version() };
    let required = CrdBreak::NewlyRequired { version: version(), field: "spec.a".into() };
    assert!(dropped.is_of_whole_objects() && !required.is_of_whole_objects());
    assert_eq!(
        json!([dropped, required]),
        json!([
            { "break": "storedVersionDropped", "version": "v1" },
            { "break": "newlyRequired", "version": "v1", "field": "spec.a" },
        ])
    );
}

#[test]
fn a_field_that_takes_less_than_before_is_told_by_its_place() {
    let size = |more: Value| {
        let mut field = json!({ "type": "string" });
        field.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        with_spec(json!({ "type": "object", "properties": { "sizes": { "type": "array", "items": field } } }))
    };
    let (old, new) = (
        size(json!({ "maxLength": 63, "enum": ["a", "b"] })),
        size(json!({ "maxLength": 20, "enum": ["a"] })),
    );
    let wanted =
        ["v1: spec.sizes[]: enum was with \"b\", is without", "v1: spec.sizes[]: maxLength was 63, is 20"];
    assert_eq!(told(&old, &new), wanted);
    assert!(breaks(&old, &new).iter().all(|it| !it.is_of_whole_objects()));
    assert_eq!(told(&new, &old), [""; 0]);
}
