//! The admission policy, tried by somebody with all rights that Flux's own role for editors gives.

use anyhow::Result;
use pdp_e2e::cluster::{Api, Cluster, Kind, shared};
use serde_json::{Value, json};

use super::Release;
use super::artifact::{self, GROUP};
use crate::plane::{COMPONENTS, Plane, release};
use crate::scenario::Scenario;

const HERE: &str = "chart-guard";
const GUARDED: [Kind; 3] = [Kind::OCI_REPOSITORY, Kind::HELM_RELEASE, Kind::KUSTOMIZATION];

fn object(kind: Kind, name: &str, subscription: Option<&str>) -> Value {
    let labels = subscription.map_or(json!({}), |name| json!({ format!("{GROUP}/subscription"): name }));
    let spec = match kind {
        Kind::OCI_REPOSITORY => json!({ "url": "oci://registry.wso2.example/pdp", "ref": { "tag": "1" } }),
        Kind::HELM_RELEASE => json!({ "chartRef": { "kind": "OCIRepository", "name": "nothing" } }),
        _ => json!({ "prune": false, "sourceRef": { "kind": "OCIRepository", "name": "nothing" } }),
    };
    let mut object = json!({
        "apiVersion": kind.api_version(), "kind": kind.name(),
        "metadata": { "name": name, "namespace": HERE, "labels": labels }, "spec": spec,
    });
    object["spec"]["interval"] = json!("1h");
    object["spec"]["suspend"] = json!(true);
    object
}

/// Somebody with the roles `flux-edit` (`resources: ["*"]`) and `edit` in a namespace: so far, that was cluster-admin.
fn person(cluster: &Cluster, namespace: &str) -> Api {
    let named = json!({ "name": "person", "namespace": namespace });
    let groups = ["source.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io", "kustomize.toolkit.fluxcd.io"];
    let objects = [
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": named }),
        json!({
            "apiVersion": Kind::ROLE.api_version(), "kind": "Role", "metadata": named,
            "rules": [
                { "apiGroups": groups, "resources": ["*"], "verbs": ["*"] },
                { "apiGroups": [""], "resources": ["secrets", "configmaps"], "verbs": ["*"] },
            ],
        }),
        json!({
            "apiVersion": Kind::ROLE_BINDING.api_version(), "kind": "RoleBinding", "metadata": named,
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "person" },
            "subjects": [{ "kind": "ServiceAccount", "name": "person", "namespace": namespace }],
        }),
    ];
    cluster.api.apply_all(&objects).unwrap();
    account(cluster, "person", namespace)
}

fn account(cluster: &Cluster, name: &str, namespace: &str) -> Api {
    cluster.api.with_token(&cluster.token_for(name, namespace).unwrap())
}

fn refused(what: &str, result: Result<impl std::fmt::Debug>) {
    let error = result.err().unwrap_or_else(|| panic!("{what} passed")).to_string();
    assert!(error.contains("belongs to pdp-sync"), "{what}: {error}");
}

/// A policy counts some moments after it was written.
fn until_it_counts(cluster: &Cluster, person: &Api, namespace: &str) {
    let mut tries = 0;
    for name in ["pdp-probe-state", "probe"] {
        cluster
            .wait_for("the policy to count", || {
                tries += 1;
                if name == "probe" {
                    let mut probe = object(Kind::HELM_RELEASE, &format!("probe-{tries}"), Some("pdp"));
                    probe["metadata"]["namespace"] = json!(namespace);
                    probe["metadata"]["labels"]["updates.pdp.wso2.com/subscription"] = json!("pdp");
                    return person.create(Kind::HELM_RELEASE, &probe).is_err();
                }
                let probe = json!({
                    "apiVersion": "v1", "kind": "Secret",
                    "metadata": { "name": format!("pdp-probe{tries}-state"), "namespace": namespace },
                });
                person.create(Kind::SECRET, &probe).is_err()
            })
            .unwrap();
    }
}

fn nobodys() -> Value {
    json!([{
        "apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": "11111111-2222-3333-4444-555555555555",
    }])
}

/// What changes more than a freeze, each as a merge patch of the object.
fn changes() -> Vec<(&'static str, Value)> {
    let label = format!("{GROUP}/subscription");
    let meta = |field: &str, value: Value| json!({ "metadata": { field: value } });
    vec![
        ("a field added", json!({ "spec": { "serviceAccountName": "admin" } })),
        ("a field changed", json!({ "spec": { "interval": "7m" } })),
        ("a field taken out", json!({ "spec": { "timeout": null } })),
        ("a freeze beside a change", json!({ "spec": { "suspend": false, "interval": "7m" } })),
        ("disowned", meta("labels", json!({ &label: null }))),
        ("handed to another", meta("labels", json!({ &label: "other" }))),
        ("all labels gone", meta("labels", Value::Null)),
        ("moved to another shard", meta("labels", json!({ "sharding.fluxcd.io/key": "none" }))),
        ("an owner that isn't there", meta("ownerReferences", nobodys())),
        ("a finalizer that nobody takes off", meta("finalizers", json!(["example.com/never"]))),
        ("an annotation", meta("annotations", json!({ "example.com/note": "x" }))),
        ("an empty annotation", meta("annotations", json!({ "example.com/note": "" }))),
    ]
}

#[test]
fn with_the_policy_only_pdp_sync_writes_what_it_labelled() {
    let cluster = shared();
    let _scenario =
        Scenario::begin("admission policy: each way round it, by somebody with all rights of an editor");
    let release = Release::new(&cluster, HERE)
        .with("crds", json!({ "install": false }))
        .with("admissionPolicy", json!({ "enabled": true }))
        .installed();
    let person = person(&cluster, HERE);
    let pdp_sync = account(&cluster, "pdp-sync", HERE);
    until_it_counts(&cluster, &person, HERE);
    for kind in GUARDED {
        an_editor_may_freeze_and_ask(&cluster, &person, &pdp_sync, kind);
        flux_may_tell_and_hold(&cluster, &pdp_sync, kind);
    }
    values_of_the_release_are_its_own_and_all_that_it_writes(&cluster, &person, &pdp_sync);
    drop(release);
}

fn values_of_the_release_are_its_own_and_all_that_it_writes(cluster: &Cluster, person: &Api, pdp_sync: &Api) {
    let (kind, own, theirs) = (Kind::CONFIG_MAP, "pdp-release-values-a-0123456789", "pdp-values-a");
    let map = |name: &str, subscription: Option<&str>| {
        let mut map = object(kind, name, subscription);
        map.as_object_mut().unwrap().remove("spec");
        map["data"] = json!({ "values.yaml": "a: 1" });
        map
    };
    let mut tries = 0;
    let counts = || {
        tries += 1;
        person.create(kind, &map(&format!("probe-{tries}"), Some("pdp"))).is_err()
    };
    cluster.wait_for("the policy to count", counts).unwrap();
    pdp_sync.apply_as("pdp-sync", kind, &map(own, Some("pdp"))).unwrap();
    let swapped = json!({ "data": { "values.yaml": "a: 2" } });
    refused("values swapped", person.patch(kind, HERE, own, &swapped));
    refused("values deleted", person.delete(kind, HERE, own));
    refused("values forged", person.create(kind, &map("pdp-release-values-a-9876543210", Some("pdp"))));

    // The customer's are theirs, and pdp-sync's token writes none of them.
    person.create(kind, &map(theirs, None)).unwrap();
    person.patch(kind, HERE, theirs, &swapped).unwrap();
    for (what, outcome) in [
        ("theirs", pdp_sync.apply_as("pdp-sync", kind, &map(theirs, None))),
        ("theirs, as its own", pdp_sync.apply_as("pdp-sync", kind, &map(theirs, Some("pdp")))),
        ("any other", pdp_sync.create(kind, &map("pdp-root", None))),
    ] {
        let words = outcome.err().unwrap_or_else(|| panic!("{what} passed")).to_string();
        assert!(words.contains("writes no ConfigMaps but"), "{what}: {words}");
    }
    pdp_sync.delete(kind, HERE, own).unwrap();
}

fn an_editor_may_freeze_and_ask(cluster: &Cluster, person: &Api, pdp_sync: &Api, kind: Kind) {
    let mut ours = object(kind, "ours", Some("pdp"));
    ours["spec"]["timeout"] = json!("3m");
    pdp_sync.apply_as("pdp-sync", kind, &ours).unwrap();
    let what = |what: &str| format!("{}: {what}", kind.name());
    for (name, change) in changes() {
        refused(&what(name), person.patch(kind, HERE, "ours", &change));
    }
    let status = json!({ "status": { "observedGeneration": 7 } });
    refused(&what("a status"), person.patch_status(kind, HERE, "ours", &status));
    let status = json!([{ "op": "add", "path": "/status", "value": { "observedGeneration": 7 } }]);
    refused(&what("a status, as JSON patch"), person.json_patch(kind, HERE, "ours", "status", &status));
    refused(&what("owned by applying the same"), person.apply(kind, &ours));
    refused(&what("forged"), person.create(kind, &object(kind, "forged", Some("pdp"))));
    refused(&what("deleted"), person.delete(kind, HERE, "ours"));

    // What isn't pdp-sync's is theirs as before, but can't be handed over.
    person.create(kind, &object(kind, "theirs", None)).unwrap();
    person.patch(kind, HERE, "theirs", &json!({ "spec": { "interval": "7m" } })).unwrap();
    let label = json!({ "metadata": { "labels": { format!("{GROUP}/subscription"): "pdp" } } });
    refused(&what("handed over"), person.patch(kind, HERE, "theirs", &label));
    // The garbage collector does delete what has an owner that isn't there.
    person.patch(kind, HERE, "theirs", &json!({ "metadata": { "ownerReferences": nobodys() } })).unwrap();
    let gone = || cluster.api.get(kind, HERE, "theirs").unwrap().is_none();
    cluster.wait_for("the garbage collector to take the stranger's", gone).unwrap();
    let label = format!("{GROUP}/subscription=pdp");
    refused(&what("all deleted at once"), person.delete_labelled(kind, HERE, &label));

    // A person's freeze and their request to look now go on working, and so does an administrator.
    for suspend in [false, true] {
        person.patch(kind, HERE, "ours", &json!({ "spec": { "suspend": suspend } })).unwrap();
    }
    let flux = |name: &str| format!("reconcile.fluxcd.io/{name}");
    let asked = json!({ flux("requestedAt"): "now", flux("forceAt"): "now", flux("resetAt"): "now" });
    person.patch(kind, HERE, "ours", &json!({ "metadata": { "annotations": asked } })).unwrap();
    let unasked = json!({ flux("requestedAt"): "then", flux("forceAt"): null, flux("resetAt"): null });
    person.patch(kind, HERE, "ours", &json!({ "metadata": { "annotations": unasked } })).unwrap();
    cluster.api.patch(kind, HERE, "ours", &json!({ "spec": { "interval": "8m" } })).unwrap();
    pdp_sync.patch(kind, HERE, "ours", &json!({ "spec": { "interval": "9m" } })).unwrap();
}

fn flux_may_tell_and_hold(cluster: &Cluster, pdp_sync: &Api, kind: Kind) {
    let flux = account(cluster, "kustomize-controller", "flux-system");
    let what = |what: &str| format!("{} by Flux: {what}", kind.name());
    flux.patch_status(kind, HERE, "ours", &json!({ "status": { "observedGeneration": 7 } })).unwrap();
    for finalizers in [json!(["finalizers.fluxcd.io"]), json!([])] {
        flux.patch(kind, HERE, "ours", &json!({ "metadata": { "finalizers": finalizers } })).unwrap();
    }
    for (name, change) in changes() {
        if !name.starts_with("a finalizer") {
            refused(&what(name), flux.patch(kind, HERE, "ours", &change));
        }
    }
    refused(&what("pruned"), flux.delete(kind, HERE, "ours"));
    let collector = account(cluster, "generic-garbage-collector", "kube-system");
    refused("deleted by the garbage collector", collector.delete(kind, HERE, "ours"));
    let freed = json!({ "metadata": { "finalizers": null, "ownerReferences": null } });
    collector.patch(kind, HERE, "ours", &freed).unwrap();
    pdp_sync.delete(kind, HERE, "ours").unwrap();
}

#[test]
fn with_the_policy_levels_install_and_go_and_memory_is_out_of_reach() {
    const NAMESPACE: &str = "guarded";
    let cluster = shared();
    let _scenario =
        Scenario::begin("admission policy: levels install under it, an editor's attacks in between");
    let guard = Release::new(&cluster, NAMESPACE)
        .with("crds", json!({ "install": false }))
        .with("controller", json!({ "enabled": false }))
        .with("admissionPolicy", json!({ "enabled": true }));
    let digest = guard.apply(&artifact::shipped());
    guard.until_ready(&digest);
    let person = person(&cluster, NAMESPACE);
    until_it_counts(&cluster, &person, NAMESPACE);
    let plane = Plane::at_41(&cluster, NAMESPACE, |_| Ok(()));
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);

    let (kind, component) = (Kind::HELM_RELEASE, COMPONENTS[0]);
    let owner = json!({ "metadata": { "ownerReferences": nobodys() } });
    refused("a component's owner", person.patch(kind, NAMESPACE, component, &owner));
    refused("a component deleted", person.delete(kind, NAMESPACE, component));
    let source = plane.live(kind, component)["spec"]["chartRef"]["name"].as_str().unwrap().to_owned();
    let artifact = json!({ "status": { "artifact": {
        "url": "http://evil.example/chart.tgz", "digest": format!("sha256:{}", "0".repeat(64)),
    } } });
    refused("a source's artifact", person.patch_status(Kind::OCI_REPOSITORY, NAMESPACE, &source, &artifact));
    for part in ["state", "decision"] {
        let (secret, name) = (Kind::SECRET, format!("pdp-pdp-{part}"));
        refused(part, person.patch(secret, NAMESPACE, &name, &json!({ "data": { "root.json": "e30=" } })));
        refused(part, person.delete(secret, NAMESPACE, &name));
    }
    let label = "updates.pdp.wso2.com/subscription=pdp";
    refused("all Secrets at once", person.delete_labelled(Kind::SECRET, NAMESPACE, label));

    // Flux answers a person's request: its own writes pass.
    person.patch(kind, NAMESPACE, component, &json!({ "spec": { "suspend": true } })).unwrap();
    person.patch(kind, NAMESPACE, component, &json!({ "spec": { "suspend": null } })).unwrap();
    let asked =
        json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": "by-a-person" } } });
    person.patch(kind, NAMESPACE, component, &asked).unwrap();
    let answered = || plane.live(kind, component)["status"]["lastHandledReconcileAt"] == "by-a-person";
    pdp_sync.wait("Flux to answer", answered).unwrap();

    plane.world.open(42, &["general=100"]).unwrap();
    subscription.until_level(pdp_sync, 42).unwrap();
    release(&plane.world, 43, NAMESPACE, |line| {
        line.remove(component);
        Ok(())
    });
    plane.world.open(43, &["general=100"]).unwrap();
    subscription.until_level(pdp_sync, 43).unwrap();
    pdp_sync.wait("the removed component to go", || plane.live(kind, component).is_null()).unwrap();
}
