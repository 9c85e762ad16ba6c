//! Subscriptions in every state, a decision record and its Flux objects, made by hand.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use pdp_policies::decision::DecisionRecord;
use pdp_policies::{At, Digest};
use serde_json::{Value, json};

use crate::crd::UpdateSubscription;

/// The time of all tests.
pub(super) fn now() -> At {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// A subscription of nordbank's, changed by a merge patch.
pub(super) fn subscription(change: &Value) -> UpdateSubscription {
    let mut object = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "kind": "UpdateSubscription",
        "metadata": { "name": "pdp", "namespace": "pdp-system", "generation": 3, "resourceVersion": "7" },
        "spec": {
            "organization": "nordbank", "dataPlane": "prod", "line": "pdp-2026", "ring": "general", "platform": "azure",
            "catalog": { "fluxSource": { "kind": "GitRepository", "name": "pdp-catalog" } },
        },
    });
    // One catalog source in place of the other, not beside it.
    if change.pointer("/spec/catalog").is_some() {
        object["spec"]["catalog"] = json!({});
    }
    merge(&mut object, change);
    serde_json::from_value(object).unwrap()
}

/// All states by name.
pub(super) fn all() -> Vec<(&'static str, UpdateSubscription)> {
    vec![
        ("healthy", healthy()),
        ("waiting", waiting()),
        ("applying", applying()),
        ("suspended", suspended()),
        ("taken-back", taken_back()),
        ("refused", refused()),
        ("quarantined", quarantined()),
        ("never-looked-at", never_looked_at()),
        ("first", first()),
        ("vendor-away", vendor_away()),
    ]
}

/// At 41, nothing newer.
pub(super) fn healthy() -> UpdateSubscription {
    seen(&json!({
        "conditions": [condition("Ready", "Succeeded", "level 41"), condition("Healthy", "Settled", ""), condition("UpToDate", "NothingNewer", "")],
        "components": [component("cilium", "1.18.3", "healthy"), component("pdp-agent", "2.4.0", "healthy")],
    }))
}

/// 42 waits for a window and an approval.
pub(super) fn waiting() -> UpdateSubscription {
    seen(&json!({
        "conditions": [condition("Ready", "Succeeded", "level 41"), condition("Healthy", "Settled", ""), condition("Blocked", "OutsideWindow", "")],
        "target": { "level": 42, "releaseDigest": Digest::of(&descriptor(42)), "phase": "waiting" },
        "obstacles": [
            { "code": "OutsideWindow", "owner": "customer", "next": "2026-11-28T21:00:00Z", "detail": "no window is open, `sat-night` is next" },
            { "code": "AwaitingApproval", "owner": "customer", "detail": "1 of 2 approvals" },
            { "code": "Halted", "owner": "vendor", "detail": "level 42 is halted in ring `general`" },
        ],
        "nextAction": { "at": "2026-11-28T21:00:00Z", "code": "OutsideWindow" },
        "catalog": { "state": "stale", "signedAt": "2026-11-22T06:00:00Z", "channels": 12, "targets": 3 },
        "instruction": { "by": "server", "ring": "general", "ceiling": 42 },
    }))
}

/// 42 is being applied for the second time.
pub(super) fn applying() -> UpdateSubscription {
    seen(&json!({
        "conditions": [condition("Reconciling", "Applying", "stage 2"), { "type": "Ready", "status": "Unknown", "reason": "Progressing", "message": "stage 2", "lastTransitionTime": "2026-11-23T11:00:00Z" }],
        "target": { "level": 42, "releaseDigest": Digest::of(&descriptor(42)), "phase": "applying", "stage": 2, "attempt": 2, "decidedAt": "2026-11-23T11:50:00Z" },
        "components": [component("cilium", "1.18.4", "settling"), component("pdp-agent", "2.4.0", "pending")],
    }))
}

/// A person suspended it.
pub(super) fn suspended() -> UpdateSubscription {
    let mut one = healthy();
    one.spec.suspend = true;
    let reason = ("updates.pdp.wso2.com/suspend-reason".to_owned(), "audit week".to_owned());
    one.metadata.annotations = Some(BTreeMap::from([reason]));
    one
}

/// A person took 41 back.
pub(super) fn taken_back() -> UpdateSubscription {
    let mut one = seen(&json!({
        "level": 40, "version": "2026.9", "lastGood": null,
        "conditions": [condition("Ready", "Succeeded", ""), condition("Healthy", "Settled", "")],
        "target": { "level": 41, "releaseDigest": Digest::of(&descriptor(41)), "phase": "takenBack" },
    }));
    one.spec.rollback =
        Some(serde_json::from_value(json!({ "from": 41, "reason": "payments time out" })).unwrap());
    one
}

/// The catalog went backwards.
pub(super) fn refused() -> UpdateSubscription {
    seen(&json!({
        "conditions": [
            { "type": "Ready", "status": "False", "reason": "VersionFloor", "message": "refused", "lastTransitionTime": "2026-11-23T11:00:00Z" },
            condition("Stalled", "VersionFloor", "refused"), condition("Healthy", "Settled", ""),
        ],
        "refusal": { "code": "VersionFloor", "subject": "metadata/channels.json", "detail": "version 11, 12 was seen", "hint": "the source serves old data: check mirrors and caches; nothing was changed" },
    }))
}

/// 42 failed at cilium, which stays as it is.
pub(super) fn quarantined() -> UpdateSubscription {
    seen(&json!({
        "conditions": [condition("Mixed", "HeldAfterFailure", "cilium stays at level 42"), { "type": "Ready", "status": "False", "reason": "Failed", "message": "level 42 failed", "lastTransitionTime": "2026-11-23T11:00:00Z" }],
        "target": { "level": 42, "releaseDigest": Digest::of(&descriptor(42)), "phase": "quarantined", "failed": "cilium", "decidedAt": "2026-11-23T10:00:00Z", "attempt": 1, "authority": { "grant": { "ring": "general", "attempt": 1, "issued": "2026-11-23T09:59:00Z" } } },
        "components": [component("cilium", "1.18.4", "failed"), component("pdp-agent", "2.4.0", "healthy")],
        "history": [
            { "level": 42, "releaseDigest": Digest::of(&descriptor(42)), "result": "failed", "decidedAt": "2026-11-23T10:00:00Z", "endedAt": "2026-11-23T10:21:00Z", "failed": "cilium" },
            { "level": 41, "releaseDigest": Digest::of(&descriptor(41)), "result": "healthy", "decidedAt": "2026-11-20T10:00:00Z", "endedAt": "2026-11-20T10:07:30Z" },
        ],
    }))
}

/// Nobody has looked at it.
pub(super) fn never_looked_at() -> UpdateSubscription {
    subscription(&json!({ "status": { "observedGeneration": -1 } }))
}

/// The first level is being applied, and the subscription was edited meanwhile.
fn first() -> UpdateSubscription {
    let (mut under_way, mut ready) =
        (condition("Reconciling", "Progressing", "stage 1"), condition("Ready", "Progressing", "stage 1"));
    ready["status"] = "Unknown".into();
    for condition in [&mut under_way, &mut ready] {
        condition["observedGeneration"] = 2.into();
    }
    let mut one = subscription(&json!({ "status": {
        "observedGeneration": -1, "conditions": [ready, under_way],
        "target": { "level": 41, "releaseDigest": Digest::of(&descriptor(41)), "phase": "applying", "stage": 1 },
        "components": [component("cilium", "1.18.3", "progressing"), component("pdp-agent", "2.4.0", "pending")],
    } }));
    one.metadata.generation = Some(3);
    one
}

/// The vendor can't be reached; it is tried again.
fn vendor_away() -> UpdateSubscription {
    let mut ready = condition("Ready", "Unreachable", "fetch the catalog; no route to host");
    ready["status"] = "False".into();
    seen(
        &json!({ "conditions": [ready, condition("Reconciling", "ProgressingWithRetry", "fetch the catalog; no route to host"), condition("Healthy", "AllHealthy", "")] }),
    )
}

fn seen(change: &Value) -> UpdateSubscription {
    let mut status = json!({
        "observedGeneration": 3, "level": 41, "version": "2026.10", "releaseDigest": Digest::of(&descriptor(41)),
        "lastGood": { "level": 40, "releaseDigest": Digest::of(&descriptor(40)) },
        "catalog": { "state": "fresh", "channels": 12, "targets": 3 },
        "instruction": { "by": "channel", "ring": "general" },
        "history": [{ "level": 41, "releaseDigest": Digest::of(&descriptor(41)), "result": "healthy", "decidedAt": "2026-11-20T10:00:00Z", "endedAt": "2026-11-20T10:07:30Z" }],
    });
    merge(&mut status, change);
    subscription(&json!({ "status": status }))
}

pub(super) fn condition(r#type: &str, reason: &str, message: &str) -> Value {
    json!({ "type": r#type, "status": "True", "reason": reason, "message": message, "lastTransitionTime": "2026-11-23T11:00:00Z" })
}

fn component(name: &str, version: &str, state: &str) -> Value {
    let reason = (state == "failed").then_some("UpgradeFailed");
    json!({ "name": name, "level": 41, "version": version, "digest": Digest::of(name.as_bytes()), "state": state, "reason": reason })
}

/// A release of a chart that holds and of manifests, as bytes.
pub(super) fn descriptor(level: u32) -> Vec<u8> {
    let image = |name: &str| json!([{ "name": name, "digest": image_digest(name, level) }]);
    let digest = |name: &str| artifact_digest(name, level);
    let component = |name: &str, stage: u32, version: String, artifact: Value, hold: &str, images: Value| {
        json!({
            "name": name, "version": version, "stage": stage, "artifact": artifact, "releaseName": name,
            "namespace": if name == "cilium" { "kube-system" } else { "pdp" }, "onFailure": hold,
            "timeout": "10m", "settle": "2m", "images": images,
        })
    };
    let chart = json!({ "chart": { "name": "cilium", "digest": digest("cilium"), "size": 1 } });
    // The agent is as before at 42: its artifact doesn't depend on the level from 41 on.
    let manifests = json!({ "manifests": { "digest": digest("pdp-agent"), "size": 1 } });
    let mut components = vec![
        component("cilium", 1, format!("1.18.{}", level - 38), chart, "hold", image("quay.io/cilium/cilium")),
        component(
            "pdp-agent",
            2,
            "2.4.0".to_owned(),
            manifests,
            "rollback",
            image("registry.wso2.com/pdp/agent"),
        ),
    ];
    if level > 41 {
        let fluent = json!({ "chart": { "name": "fluent-bit", "digest": digest("fluent-bit"), "size": 1 } });
        components.push(component("fluent-bit", 2, "0.54.0".to_owned(), fluent, "rollback", json!([])));
    }
    let release = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "line": "pdp-2026", "level": level, "version": format!("2026.{}", level - 31),
        "kind": "update", "components": components,
        "bundle": { "repository": "registry.wso2.com/pdp/release", "digest": Digest::of(b"bundle"), "size": 1 },
    });
    release.to_string().into_bytes()
}

fn artifact_digest(name: &str, level: u32) -> Digest {
    let level = if name == "pdp-agent" { 41 } else { level };
    Digest::of(format!("{name} {level}").as_bytes())
}

fn image_digest(name: &str, level: u32) -> Digest {
    let level = if name.ends_with("agent") { 41 } else { level };
    Digest::of(format!("{name} {level}").as_bytes())
}

/// A record: `done` at 41, or `applying` 42 after it.
pub(crate) fn record(phase: &str) -> DecisionRecord {
    let stored = |level: u32| {
        let bytes = descriptor(level);
        json!({ "level": level, "sha256": Digest::of(&bytes).hex(), "descriptor": STANDARD.encode(&bytes) })
    };
    let inputs = json!({ "platform": "azure" });
    let (target, last) = if phase == "done" { (41, 40) } else { (42, 41) };
    let record = json!({
        "apiVersion": "updates.pdp.wso2.com/v1",
        "target": stored(target), "lastGood": stored(last), "lastGoodInputs": inputs, "inputs": inputs,
        "catalog": { "timestamp": 1, "channels": 12, "targets": 3 },
        "policy": { "digest": Digest::of(b"policy"), "loosened": true },
        "authority": { "openTo": { "ring": "general", "percent": 100, "channels": 12 } },
        "attempt": 1, "decidedAt": "2026-11-20T10:00:00Z", "phase": { phase: {} },
    });
    DecisionRecord::load(record.to_string().as_bytes()).unwrap()
}

/// Sources, Helm releases and Kustomizations of a level, applied.
pub(super) fn flux_objects(level: u32) -> (Vec<Value>, Vec<Value>, Vec<Value>) {
    let source_name = |name: &str| format!("{name}-{}", artifact_digest(name, level).short());
    let image = |name: &str| json!([{ "name": name, "digest": image_digest(name, level) }]);
    let source = |name: &str| {
        let digest = artifact_digest(name, level);
        json!({
            "metadata": { "name": source_name(name), "namespace": "pdp-system" },
            "spec": { "url": "oci://registry.wso2.com/pdp/release", "ref": { "digest": digest } },
            "status": { "artifact": { "revision": digest } },
        })
    };
    let values = |name: &str| json!({ "kind": "ConfigMap", "name": name, "optional": true });
    let values = [values("pdp-platform-values"), values("pdp-values-cilium")];
    let reference = |name: &str| json!({ "kind": "OCIRepository", "name": source_name(name) });
    let digest = |name: &str| artifact_digest(name, level);
    let release = json!({
        "metadata": { "name": "cilium", "namespace": "pdp-system" },
        "spec": { "chartRef": reference("cilium"), "valuesFrom": values, "postRenderers": [{ "kustomize": { "images": image("quay.io/cilium/cilium") } }] },
        "status": { "lastAttemptedRevisionDigest": digest("cilium"), "history": [{ "ociDigest": digest("cilium") }] },
    });
    let kustomization = json!({
        "metadata": { "name": "pdp-agent", "namespace": "pdp-system" },
        "spec": { "sourceRef": reference("pdp-agent"), "images": image("registry.wso2.com/pdp/agent") },
        "status": { "lastAppliedRevision": digest("pdp-agent") },
    });
    (vec![source("cilium"), source("pdp-agent")], vec![release], vec![kustomization])
}

/// A Secret with these keys.
pub(super) fn secret(data: &[(&str, &[u8])]) -> Secret {
    let data = data.iter().map(|(key, bytes)| ((*key).to_owned(), ByteString(bytes.to_vec()))).collect();
    let mut secret = Secret { data: Some(data), ..Default::default() };
    secret.metadata.resource_version = Some("7".to_owned());
    secret
}

fn merge(into: &mut Value, change: &Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (key, value) in change {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, change) => *into = change.clone(),
    }
}
