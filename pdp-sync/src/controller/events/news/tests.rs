#![allow(clippy::unwrap_used)]
use pdp_policies::{At, Digest};
use serde_json::{Value, json};

use super::*;

fn digest() -> String {
    Digest::of(b"release").to_string()
}

fn status(value: Value) -> Status {
    serde_json::from_value(value).unwrap()
}

fn target(phase: &str) -> Value {
    json!({ "level": 42, "releaseDigest": digest(), "phase": phase, "stage": 1, "attempt": 1 })
}

fn with_target(phase: &str, more: Value) -> Status {
    let mut target = target(phase);
    target.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    status(json!({ "target": target }))
}

fn reasons(before: &Status, after: &Status) -> Vec<String> {
    news(before, after).into_iter().map(|news| news.reason).collect()
}

fn ended(result: &str, at: i64) -> Value {
    let at = At::from_unix(at).to_string();
    json!({ "level": 42, "releaseDigest": digest(), "result": result, "decidedAt": at, "endedAt": at })
}

#[test]
fn phases_of_a_good_level() {
    let (waiting, first) = (with_target("waiting", json!({})), with_target("applying", json!({})));
    assert_eq!(reasons(&Status::default(), &first), ["LevelStarted"]);
    assert_eq!(reasons(&waiting, &first), ["LevelStarted"]);
    let second = with_target("applying", json!({ "stage": 2 }));
    assert_eq!(reasons(&first, &second), ["StageDone"]);
    let healthy = status(json!({ "history": [ended("healthy", 2)] }));
    assert_eq!(reasons(&second, &healthy), ["LevelHealthy"]);
    let revision = format!("42@{}", digest());
    assert!(news(&waiting, &first).iter().all(|news| news.revision.as_deref() == Some(&revision)));
    assert_eq!(news(&second, &healthy)[0].revision.as_deref(), Some(&*revision));
}

#[test]
fn phases_of_a_bad_level() {
    let applying = with_target("applying", json!({}));
    let back =
        with_target("goingBack", json!({ "failed": "gateway", "cause": "ForeignImage: Deployment a/b" }));
    let given_up = with_target("quarantined", json!({ "failed": "gateway" }));
    assert_eq!(reasons(&applying, &back), ["LevelFailed"]);
    assert_eq!(reasons(&back, &given_up), ["GoneBack", "Quarantined"]);
    assert_eq!(reasons(&applying, &given_up), ["LevelFailed", "Quarantined"]);
    let failed = &news(&applying, &back)[0];
    assert_eq!(failed.component, Some("gateway".parse().unwrap()));
    assert!(failed.message.contains("`gateway` (ForeignImage: Deployment a/b)"), "{}", failed.message);
    let again = with_target("applying", json!({ "attempt": 2 }));
    assert_eq!(reasons(&given_up, &again), ["LevelStarted"]);
}

#[test]
fn a_failure_is_told_when_a_newer_level_is_the_target_already() {
    let newer = json!({ "level": 43, "releaseDigest": Digest::of(b"newer").to_string(), "phase": "waiting" });
    let behind = status(json!({ "target": newer, "history": [ended("failed", 3)] }));
    let applying = with_target("applying", json!({}));
    assert_eq!(reasons(&applying, &behind), ["LevelFailed", "Quarantined"]);
    let back = with_target("goingBack", json!({ "failed": "gateway" }));
    assert_eq!(reasons(&back, &behind), ["Quarantined"]);
    let mut here = with_target("quarantined", json!({ "failed": "gateway" }));
    here.history.clone_from(&behind.history);
    assert_eq!(reasons(&back, &here), ["GoneBack", "Quarantined"], "told once");
    assert_eq!(reasons(&behind, &behind), Vec::<String>::new());
}

#[test]
fn a_person_takes_a_level_back() {
    let (taking, taken) = (with_target("takingBack", json!({})), with_target("takenBack", json!({})));
    assert_eq!(reasons(&taking, &taken), ["TakenBack"]);
    let history = status(json!({ "target": target("takenBack"), "history": [ended("takenBack", 3)] }));
    assert_eq!(reasons(&taken, &history), Vec::<String>::new());
}

#[test]
fn obstacles_count_when_the_first_one_changes() {
    let blocked = |codes: &[&str], detail: &str| {
        let obstacle = |code: &&str| json!({ "code": code, "owner": "customer", "detail": detail });
        let obstacles: Vec<_> = codes.iter().map(obstacle).collect();
        status(json!({ "target": target("waiting"), "obstacles": obstacles }))
    };
    let free = with_target("waiting", json!({}));
    let window = blocked(&["OutsideWindow", "Frozen"], "until ten");
    assert_eq!(reasons(&free, &window), ["Blocked"]);
    assert_eq!(reasons(&window, &blocked(&["OutsideWindow"], "other words")), Vec::<String>::new());
    assert_eq!(reasons(&window, &blocked(&["Frozen"], "")), ["Blocked"]);
    assert_eq!(reasons(&window, &free), ["Unblocked"]);
    assert_eq!(reasons(&window, &Status::default()), ["Unblocked"]);
    let started = with_target("applying", json!({}));
    assert_eq!(reasons(&window, &started), ["LevelStarted", "Unblocked"]);
}

#[test]
fn the_catalog_is_told_when_it_gets_worse() {
    let catalog = |state: &str| status(json!({ "catalog": { "state": state, "channels": 1, "targets": 1 } }));
    let (fresh, stale, expired) = (catalog("fresh"), catalog("stale"), catalog("expired"));
    assert_eq!(reasons(&Status::default(), &fresh), Vec::<String>::new());
    assert_eq!(reasons(&fresh, &stale), ["CatalogStale"]);
    assert_eq!(reasons(&stale, &expired), ["CatalogExpired"]);
    assert_eq!(reasons(&expired, &fresh), Vec::<String>::new());
}

#[test]
fn a_refusal_is_told_once_per_document_and_code() {
    let refused = |code: &str, subject: &str, detail: &str| {
        status(json!({ "refusal": { "code": code, "subject": subject, "detail": detail, "hint": "ask" } }))
    };
    let first = refused("RootChain", "2.root.json", "forks");
    assert_eq!(reasons(&Status::default(), &first), ["RefusedRootChain"]);
    assert_eq!(reasons(&first, &refused("RootChain", "2.root.json", "other words")), Vec::<String>::new());
    assert_eq!(reasons(&first, &refused("RootChain", "3.root.json", "forks")), ["RefusedRootChain"]);
    assert_eq!(reasons(&first, &Status::default()), Vec::<String>::new());
}

#[test]
fn policy_suspension_ring_and_floor() {
    let suspended = status(json!({ "components": [{
        "name": "gateway", "level": 41, "version": "1", "digest": digest(), "state": "suspended"
    }] }));
    assert_eq!(reasons(&Status::default(), &suspended), ["ComponentSuspended"]);
    assert_eq!(news(&Status::default(), &suspended)[0].component, Some("gateway".parse().unwrap()));
    let loosened = status(json!({ "policyLoosened": true }));
    assert_eq!(reasons(&Status::default(), &loosened), ["PolicyLoosened"]);
    let condition = |kind: &str| {
        let at = At::from_unix(1).to_string();
        json!({ "type": kind, "status": "True", "reason": "R", "message": "why", "lastTransitionTime": at })
    };
    let odd = status(
        json!({ "conditions": [condition("Exposed"), condition("EarlierRing"), condition("Verified"), condition("ForeignImage")] }),
    );
    assert_eq!(reasons(&Status::default(), &odd), ["EarlierRing", "Exposed", "ForeignImage"]);
}

#[test]
fn nothing_is_told_twice() {
    let full = status(json!({
        "target": { "level": 42, "releaseDigest": digest(), "phase": "quarantined", "failed": "gateway" },
        "obstacles": [{ "code": "Quarantined", "owner": "vendor", "detail": "failed" }],
        "refusal": { "code": "RootChain", "subject": "s", "detail": "d", "hint": "h" },
        "catalog": { "state": "expired", "channels": 1, "targets": 1 },
        "history": [ended("failed", 3), ended("healthy", 2)],
        "policyLoosened": true,
    }));
    assert!(!news(&Status::default(), &full).is_empty());
    assert_eq!(news(&full, &full), []);
}

#[test]
fn reasons_are_words_that_kubernetes_takes() {
    let all =
        [News::floors_rebuilt(), News::root_changed(), News::orphaned(), News::drift_repaired(&["a".into()])];
    for news in all {
        assert!(news.reason.len() <= 128 && news.reason.chars().all(|c| c.is_ascii_alphanumeric()));
        assert!(!news.message.is_empty());
    }
}
