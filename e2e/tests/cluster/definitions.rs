//! What the API server takes of our own kinds, and what it refuses before pdp-sync sees it.

use pdp_e2e::cluster::{Cluster, Kind, shared};
use serde_json::{Value, json};

/// The sample of `docs/formats.md`, in a namespace of its own.
fn sample(cluster: &Cluster, namespace: &str) -> Value {
    cluster.namespace(namespace).unwrap();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/formats.md")).unwrap();
    let (_, rest) = page.split_once("<!-- sample: update-subscription -->\n```yaml\n").unwrap();
    let mut object: Value = serde_saphyr::from_str(rest.split_once("```").unwrap().0).unwrap();
    object["metadata"]["namespace"] = json!(namespace);
    object
}

/// What the API server says against the sample with this merge patch on it.
fn refused(cluster: &Cluster, sample: &Value, change: &Value) -> String {
    let mut object = sample.clone();
    merge(&mut object["spec"], change);
    match cluster.api.create(Kind::SUBSCRIPTION, &object) {
        Ok(taken) => panic!("{change} was taken: {taken:#}"),
        Err(error) => error.to_string(),
    }
}

/// As JSON merge patches do: null takes away.
fn merge(into: &mut Value, from: &Value) {
    let (Some(fields), true) = (from.as_object(), into.is_object()) else {
        *into = from.clone();
        return;
    };
    for (key, value) in fields {
        if value.is_null() {
            into.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut into[key], value);
        }
    }
}

#[test]
fn the_documented_subscription_is_taken_and_its_identity_stays() {
    let cluster = shared();
    let sample = sample(&cluster, "crd-identity");
    let made = cluster.api.create(Kind::SUBSCRIPTION, &sample).unwrap();
    assert_eq!(made["spec"]["signatures"], "required", "defaults are filled in");
    assert_eq!(made["spec"]["interval"], "5m");
    for (field, words) in [
        ("organization", "make another subscription"),
        ("dataPlane", "make another subscription"),
        ("line", "ordered within a line"),
    ] {
        let patch = json!({ "spec": { field: "other" } });
        let error =
            cluster.api.patch(Kind::SUBSCRIPTION, "crd-identity", "pdp", &patch).unwrap_err().to_string();
        assert!(error.contains("422") && error.contains(words), "{field}: {error}");
    }
    cluster
        .api
        .patch(Kind::SUBSCRIPTION, "crd-identity", "pdp", &json!({ "spec": { "ring": "late" } }))
        .unwrap();
}

fn window(cron: &str) -> Value {
    json!({ "name": "w", "kind": "allow", "cron": cron, "timeZone": "UTC", "length": "1h" })
}

#[test]
fn what_makes_no_sense_is_refused_with_the_reason() {
    let cluster = shared();
    let sample = sample(&cluster, "crd-bad");
    for (change, words) in [
        (json!({ "ring": null, "instruction": null }), "spec.ring is needed"),
        (
            json!({ "instruction": { "server": null, "approval": {} }, "policy": { "approval": null } }),
            "who may approve",
        ),
        (json!({ "platform": "mainframe" }), "Unsupported value"),
        (json!({ "signatures": "never" }), "Unsupported value"),
        (json!({ "catalog": { "fluxSource": { "kind": "Bucket" } } }), "Unsupported value"),
        (
            json!({ "policy": { "pin": { "to": { "level": 41 }, "reason": "audit", "owner": "board" } } }),
            "spec.policy.pin.expires: Required value",
        ),
        (
            json!({ "policy": { "pin": { "to": { "level": 41 }, "owner": "board", "expires": "2027-01-31T00:00:00Z" } } }),
            "spec.policy.pin.reason: Required value",
        ),
        (
            json!({ "catalog": { "oci": { "repository": "registry.example/catalog", "tag": "latest" } } }),
            "catalog",
        ),
        (
            json!({ "policy": { "after": [{ "dataPlane": "staging", "healthyFor": "1h" }] } }),
            "either `key` or `fingerprint`",
        ),
        (
            json!({ "policy": { "after": [{ "dataPlane": "prod", "key": "k", "healthyFor": "1h" }] } }),
            "wait for itself",
        ),
        (
            json!({ "policy": { "freezes": [
                { "reason": "year end", "from": "2026-12-20T00:00:00Z", "until": "2026-01-04T00:00:00Z" },
            ] } }),
            "ends before it begins",
        ),
        (
            json!({ "policy": { "pin": { "to": { "level": 41 }, "reason": "r", "expires": "2027-02-30T00:00:00Z" } } }),
            "spec",
        ),
        (
            json!({ "policy": { "pin": { "to": { "level": 41 }, "reason": "r", "expires": "2027-01-31T00:00:00+01:00" } } }),
            "pin.expires",
        ),
        (
            json!({ "policy": { "freezes": [{ "reason": "r", "from": "2026-12-20", "until": "2027-01-04T00:00:00Z" }] } }),
            "from",
        ),
        (
            json!({ "policy": { "approval": { "quorum": null, "approvers": ["ssh-ed25519 AAAA lind"] } } }),
            "quorum",
        ),
        (
            json!({ "policy": { "approval": { "quorum": null, "approvers": null, "groups": [
                { "name": "security", "quorum": 0, "approvers": ["ssh-ed25519 AAAA lind"] },
            ] } } }),
            "quorum",
        ),
        (
            json!({ "policy": { "approval": { "quorum": 0, "approvers": ["ssh-ed25519 AAAA lind"] } } }),
            "quorum",
        ),
        (json!({ "policy": { "windows": [window("0 0 1-7 * 6")] } }), "cron opens on either"),
        (json!({ "policy": { "windows": [window("0 0 0 * * *")] } }), "cron opens on either"),
        (json!({ "policy": { "windows": vec![window("0 0 * * *"); 101] } }), "Too many"),
        (json!({ "interval": "soon" }), "spec.interval"),
        (json!({ "organization": null }), "spec.organization: Required value"),
    ] {
        let error = refused(&cluster, &sample, &change);
        assert!(error.contains("422") && error.contains(words), "{change}: {error}");
    }
}

#[test]
fn what_was_signed_stays_as_it_was_signed() {
    let cluster = shared();
    cluster.namespace("crd-approval").unwrap();
    let approval = json!({
        "apiVersion": Kind::APPROVAL.api_version(), "kind": Kind::APPROVAL.name(),
        "metadata": { "name": "lind-42", "namespace": "crd-approval" },
        "spec": { "document": "{}", "signature": "-----BEGIN SSH SIGNATURE-----" },
    });
    cluster.api.create(Kind::APPROVAL, &approval).unwrap();
    for field in ["document", "signature"] {
        let patch = json!({ "spec": { field: "other" } });
        let error =
            cluster.api.patch(Kind::APPROVAL, "crd-approval", "lind-42", &patch).unwrap_err().to_string();
        assert!(error.contains("make another approval") || error.contains("can't be changed"), "{error}");
    }
}
