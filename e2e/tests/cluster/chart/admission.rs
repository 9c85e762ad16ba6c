use anyhow::Result;
use pdp_e2e::cluster::{Api, Cluster, Kind, shared};
use serde_json::{Value, json};

use super::Release;
use super::artifact::GROUP;

const HERE: &str = "chart-guard";

fn source(name: &str, subscription: Option<&str>) -> Value {
    let labels = subscription.map_or(json!({}), |name| json!({ format!("{GROUP}/subscription"): name }));
    json!({
        "apiVersion": Kind::OCI_REPOSITORY.api_version(), "kind": Kind::OCI_REPOSITORY.name(),
        "metadata": { "name": name, "namespace": HERE, "labels": labels },
        "spec": { "interval": "1h", "suspend": true, "url": "oci://registry.wso2.example/pdp", "ref": { "tag": "1" } },
    })
}

/// Somebody who may do anything with Flux objects here: so far, that was cluster-admin.
fn person(cluster: &Cluster) -> Api {
    let named = json!({ "name": "person", "namespace": HERE });
    let objects = [
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": named }),
        json!({
            "apiVersion": Kind::ROLE.api_version(), "kind": "Role", "metadata": named,
            "rules": [{ "apiGroups": ["source.toolkit.fluxcd.io"], "resources": ["ocirepositories"], "verbs": ["*"] }],
        }),
        json!({
            "apiVersion": Kind::ROLE.api_version(), "kind": "RoleBinding", "metadata": named,
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "person" },
            "subjects": [{ "kind": "ServiceAccount", "name": "person", "namespace": HERE }],
        }),
    ];
    cluster.api.apply_all(&objects).unwrap();
    cluster.api.with_token(&cluster.token_for("person", HERE).unwrap())
}

fn refused(result: Result<impl std::fmt::Debug>) {
    let error = result.unwrap_err().to_string();
    assert!(error.contains("belongs to pdp-sync"), "{error}");
}

#[test]
fn with_the_policy_only_pdp_sync_writes_what_it_labelled() {
    let cluster = shared();
    let release = Release::new(&cluster, HERE)
        .with("crds", json!({ "install": false }))
        .with("admissionPolicy", json!({ "enabled": true }))
        .installed();
    let person = person(&cluster);
    let pdp_sync = cluster.api.with_token(&cluster.token_for("pdp-sync", HERE).unwrap());
    let kind = Kind::OCI_REPOSITORY;
    // A policy counts some moments after it was written.
    let mut tries = 0;
    cluster
        .wait_for("the policy to count", || {
            tries += 1;
            person.apply(kind, &source(&format!("probe-{tries}"), Some("pdp"))).is_err()
        })
        .unwrap();

    pdp_sync.apply(kind, &source("ours", Some("pdp"))).unwrap();
    person.apply(kind, &source("theirs", None)).unwrap();
    person.patch(kind, HERE, "theirs", &json!({ "spec": { "ref": { "tag": "2" } } })).unwrap();

    // Changing, taking over, disowning, handing over and deleting are pdp-sync's alone.
    let label = format!("{GROUP}/subscription");
    refused(person.apply(kind, &source("forged", Some("pdp"))));
    refused(person.patch(kind, HERE, "ours", &json!({ "spec": { "url": "oci://evil.example/pdp" } })));
    refused(person.patch(kind, HERE, "ours", &json!({ "spec": { "insecure": true } })));
    refused(person.patch(kind, HERE, "ours", &json!({ "spec": { "ref": null } })));
    refused(person.patch(kind, HERE, "ours", &json!({ "metadata": { "labels": { &label: null } } })));
    refused(person.patch(kind, HERE, "ours", &json!({ "metadata": { "labels": { &label: "other" } } })));
    refused(person.patch(kind, HERE, "theirs", &json!({ "metadata": { "labels": { &label: "pdp" } } })));
    refused(person.delete(kind, HERE, "ours"));

    // A person's freeze and their request to look now go on working, and so does an administrator.
    person.patch(kind, HERE, "ours", &json!({ "spec": { "suspend": false } })).unwrap();
    let now = json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": "now" } } });
    person.patch(kind, HERE, "ours", &now).unwrap();
    cluster.api.patch(kind, HERE, "ours", &json!({ "spec": { "ref": { "tag": "2" } } })).unwrap();
    pdp_sync.patch(kind, HERE, "ours", &json!({ "spec": { "ref": { "tag": "3" } } })).unwrap();
    pdp_sync.delete(kind, HERE, "ours").unwrap();
    drop(release);
}
