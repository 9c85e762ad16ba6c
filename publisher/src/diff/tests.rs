#![allow(clippy::unwrap_used, clippy::panic)]

use pdp_policies::release::Release;
use serde_json::{Value, json};

use super::*;

fn digest(text: &str) -> String {
    Digest::of(text.as_bytes()).to_string()
}

fn component(name: &str, version: &str) -> Value {
    json!({
        "name": name, "version": version, "stage": 1, "releaseName": name, "namespace": "pdp",
        "artifact": { "chart": { "name": name, "digest": digest(&format!("{name} {version}")), "size": 1 } },
        "onFailure": "rollback", "timeout": "5m", "settle": "30s",
        "images": [{ "name": format!("quay.example/{name}"), "digest": digest(&format!("image {name} {version}")) }],
    })
}

/// Level 41 has an agent, a network and a cache; `edit` makes level 42 of it.
fn compared(edit: impl FnOnce(&mut Value)) -> Diff {
    let before = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "line": "pdp-2026", "level": 41, "version": "2026.11.1", "kind": "update",
        "bundle": { "repository": "registry.example/pdp", "digest": digest("41"), "size": 1 },
        "components": [component("agent", "1.0.0"), component("network", "2.0.0"), component("cache", "3.0.0")],
    });
    let mut after = before.clone();
    (after["level"], after["version"]) = (42.into(), "2026.11.2".into());
    edit(&mut after);
    let read = |value: Value| -> Release { serde_json::from_value(value).unwrap() };
    let of = |value: Value| (read(value.clone()), Digest::of(value.to_string().as_bytes()));
    diff(&of(before), &of(after), &[])
}

/// A level that is made of `base`, and fixes these.
fn level(level: u32, base: Option<u32>, kind: &str, fixes: &[&str]) -> Published {
    let advisory = |id: &&str| {
        json!({
            "id": id, "severity": "critical", "confirmedAt": "2026-11-20T00:00:00Z", "publishedAt": "2026-11-23T00:00:00Z",
        })
    };
    let release = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "line": "pdp-2026", "level": level, "version": "x", "kind": kind,
        "base": base, "bundle": { "repository": "registry.example/pdp", "digest": digest("x"), "size": 1 },
        "advisories": fixes.iter().map(advisory).collect::<Vec<_>>(), "components": [],
    });
    (serde_json::from_value(release).unwrap(), Digest::of(level.to_string().as_bytes()))
}

#[test]
fn a_level_fixes_what_the_levels_fixed_that_it_is_made_of() {
    let all = [
        level(40, None, "update", &[]),
        level(41, Some(40), "security", &["A"]),
        level(42, Some(41), "security", &["B"]),
        level(43, Some(40), "hotfix", &["C"]),
        level(44, Some(42), "update", &[]),
    ];
    let at = |level: u32| all.iter().find(|(it, _)| it.level.0 == level).unwrap();
    for (from, to, fixed, forgotten) in [
        (40, 44, &["A", "B"][..], &[][..]),
        (42, 44, &[], &[]),
        (41, 44, &["B"], &[]),
        (43, 44, &["A", "B"], &["C"]),
        (44, 41, &[], &["B"]),
        (41, 43, &["C"], &["A"]),
    ] {
        let known: Vec<_> = all.iter().filter(|(it, _)| ![from, to].contains(&it.level.0)).cloned().collect();
        let found = diff(at(from), at(to), &known);
        let mut ids: Vec<_> = found.fixed.iter().map(|it| it.advisory.id.as_str()).collect();
        ids.sort_unstable();
        assert_eq!(ids, fixed, "{from} {to}");
        assert_eq!(found.forgotten, forgotten, "{from} {to}");
    }
}

#[test]
fn a_level_that_is_built_anew_fixes_what_it_says_now() {
    let (published, built) = (level(42, None, "security", &["A"]), level(42, None, "security", &["A", "B"]));
    let found = diff(&published, &built, &[]);
    let ids: Vec<_> = found.fixed.iter().map(|it| it.advisory.id.as_str()).collect();
    assert_eq!((ids, found.forgotten.len()), (vec!["B"], 0));
}

#[test]
fn what_is_the_same_is_named_once_and_goes_back_whole() {
    let same = compared(|_| ());
    assert!(same.components.is_empty() && same.way_back.is_safe());
    assert_eq!(same.unchanged.len(), 3);
}

#[test]
fn everything_that_differs_is_told_and_what_does_not_go_back() {
    let all = compared(|to| {
        to["kind"] = "security".into();
        to["advisories"] = json!([{
            "id": "WSO2-2026-0142", "severity": "critical", "knownExploited": true,
            "confirmedAt": "2026-11-20T00:00:00Z", "publishedAt": "2026-11-23T00:00:00Z",
        }]);
        to["requires"] = json!({ "kubernetes": ">=1.34" });
        let mut agent = component("agent", "1.0.1");
        agent["timeout"] = "10m".into();
        agent["values"] = json!({ "replicas": 3, "service": { "type": "ClusterIP" } });
        agent["platformValues"] = json!({ "azure": { "storageClass": "managed" } });
        let mut network = component("network", "2.1.0");
        network["onFailure"] = "hold".into();
        network["outlives"] = json!(["CustomResourceDefinition/networks.example.com"]);
        to["components"] = json!([agent, network, component("gateway", "1.0.0")]);
        to["removed"] = json!(["cache"]);
    });
    insta::assert_snapshot!(text(&all));
}

#[test]
fn a_component_that_nobody_names_any_more_is_told_apart_from_one_that_is_removed() {
    let forgotten =
        compared(|to| to["components"] = json!([component("agent", "1.0.0"), component("network", "2.0.0")]));
    let [one] = &forgotten.components[..] else { panic!("{forgotten:?}") };
    assert_eq!((one.name.as_str(), one.what), ("cache", What::Forgotten));
    assert!(forgotten.way_back.is_safe(), "nothing happens to it");
}

#[test]
fn lists_are_compared_whole_and_names_are_pointers() {
    let found = changes(&json!({ "a": [1, 2], "b/c": { "d": 1 } }), &json!({ "a": [1, 3], "b/c": null }));
    let places: Vec<_> = found.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(places, ["/a", "/b~1c/d"]);
}
