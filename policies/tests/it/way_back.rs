//! Whose turn it is, and what a level that went back may have left in the cluster.

use pdp_policies::decision::DecisionRecord;
use pdp_policies::outlives::{left_behind, words};
use pdp_policies::release::{Component, OnFailure, Release};
use pdp_policies::{Digest, Turn};
use serde_json::json;

use crate::vendor::release;

fn component(name: &str, stage: u32, image: &str) -> Component {
    let mut component = release(1).components.remove(0);
    (component.name, component.release_name) = (name.parse().unwrap(), name.parse().unwrap());
    component.stage = stage;
    component.images[0].name = image.to_owned();
    component.on_failure = OnFailure::Rollback;
    component
}

#[test]
fn who_applies_a_level_changes_alone_and_last_in_its_stage() {
    let all = [
        ("pdp-sync", 2, "registry.example/pdp-sync"),
        ("flux", 2, "ghcr.io/fluxcd/helm-controller"),
        ("moved", 2, "registry.example/copies/source-controller"),
        ("gateway", 2, "registry.example/gateway"),
        ("controller", 2, "registry.example/my-helm-controller"),
        ("late", 3, "registry.example/late"),
        ("early", 1, "ghcr.io/fluxcd/kustomize-controller"),
    ]
    .map(|(name, stage, image)| component(name, stage, image));
    let mut turns: Vec<_> = all.iter().map(|it| (Turn::of(it), it.name.as_str())).collect();
    turns.sort();
    let mut order: Vec<Vec<&str>> = Vec::new();
    for (number, (turn, name)) in turns.iter().enumerate() {
        match number.checked_sub(1).filter(|before| turns[*before].0 == *turn) {
            Some(_) => order.last_mut().unwrap().push(name),
            None => order.push(vec![name]),
        }
    }
    let expected: [&[&str]; 5] =
        [&["early"], &["controller", "gateway"], &["flux", "moved"], &["pdp-sync"], &["late"]];
    assert_eq!(order, expected);
    assert!(Turn::FIRST < Turn::of(&all[6]));
    assert_eq!([0, 1, 3].map(|at| Turn::of(&all[at]).to_string()), ["2 (pdp-sync)", "2 (Flux)", "2"]);
}

/// Level 42 failed at `failed`, after level 41 was good.
fn record(target: &Release, good: &Release, phase: serde_json::Value) -> DecisionRecord {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let stored = |release: &Release| {
        let bytes = pdp_policies::document::write(release).unwrap();
        let sha256 = Digest::of(&bytes).hex();
        json!({ "level": release.level, "sha256": sha256, "descriptor": STANDARD.encode(&bytes) })
    };
    let inputs = json!({ "platform": "azure" });
    let record = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "target": stored(target), "lastGood": stored(good),
        "lastGoodInputs": inputs, "inputs": inputs,
        "catalog": { "timestamp": 1, "channels": 1, "targets": 1 },
        "policy": { "digest": Digest::of(b"policy"), "loosened": false },
        "authority": { "openTo": { "ring": "general", "percent": 100, "channels": 1 } },
        "attempt": 1, "decidedAt": "2026-11-20T10:00:00Z", "phase": phase,
    });
    DecisionRecord::load(record.to_string().as_bytes()).unwrap()
}

#[test]
fn what_went_back_may_leave_what_no_good_component_has() {
    let with = |level: u32, all: &[(&str, u32, &[&str])]| {
        let mut release = release(level);
        let make = |(name, stage, outlives): &(&str, u32, &[&str])| {
            let mut made = component(name, *stage, "registry.example/app");
            made.outlives = outlives.iter().map(|it| it.parse().unwrap()).collect();
            made
        };
        release.components = all.iter().map(make).collect();
        release
    };
    let good = with(41, &[("early", 1, &["Namespace/old"]), ("moved", 1, &["Namespace/moved"])]);
    let mut target = with(
        42,
        &[
            ("early", 1, &["Namespace/new", "Namespace/old", "Namespace/moved"]),
            ("failed", 2, &["CustomResourceDefinition/things.example.com"]),
            ("held", 2, &["Namespace/held"]),
            ("late", 3, &["Namespace/late"]),
        ],
    );
    target.components[2].on_failure = OnFailure::Hold;
    let quarantined = json!({ "quarantined": { "component": "failed" } });
    let record = record(&target, &good, quarantined);
    let left: Vec<_> = left_behind(&record).into_iter().map(|(name, it)| format!("{name} {it}")).collect();
    assert_eq!(left, ["early Namespace/new", "failed CustomResourceDefinition/things.example.com"]);
    let done = record.in_phase(pdp_policies::decision::Phase::Done {});
    assert_eq!(left_behind(&done), []);
}

#[test]
fn the_rest_of_the_sentence_names_one_and_counts_the_others() {
    let all = ["Namespace/a", "Namespace/b", "Namespace/c"].map(|it| it.parse().unwrap());
    assert_eq!(words(&[]), "");
    assert_eq!(words(&all[..1]), "; it may have left Namespace/a behind");
    assert_eq!(words(&all), "; it may have left Namespace/a and 2 more behind");
}
