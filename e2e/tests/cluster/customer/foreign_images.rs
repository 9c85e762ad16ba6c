//! Images that the customer's Helm values put into a component: one of a list passes, another one is `ForeignImage`.

use pdp_e2e::Line;
use pdp_e2e::cluster::{SubscriptionState, shared};
use serde_json::json;

use crate::plane::{Plane, release};
use crate::scenario::Scenario;

const NAMESPACE: &str = "images";
const ENFORCER: &str = "choreo-connect-enforcer";
const SIDECAR: &str = "registry.bank.example/sidecar";

fn list(plane: &Plane<'_>, images: &[&str]) {
    plane.subscription.patch(&json!({ "spec": { "policy": { "ownImages": images } } })).unwrap();
}

/// A chart whose values may add a container.
fn with_sidecar(line: &mut Line) -> anyhow::Result<()> {
    let more = "containers:\n{{- with .Values.sidecar }}\n        - {name: sidecar, image: {{ . | quote }}}\n{{- end }}";
    line.replace(ENFORCER, "templates/workload.yaml", "containers:", more)
}

#[test]
fn an_image_of_a_value_fails_its_level_unless_the_customer_lists_it_and_is_told_where_it_runs() {
    let cluster = shared();
    let _scenario =
        Scenario::begin("customer: a listed sidecar passes; another image fails the level, or is told");
    let plane = Plane::at_41(&cluster, NAMESPACE, with_sidecar);
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let theirs = format!("pdp-values-{ENFORCER}");
    plane.give(&theirs, &format!("sidecar: {SIDECAR}:1\n"));
    list(&plane, &[SIDECAR]);
    plane.world.open(42, &["general=100"]).unwrap();
    subscription.until_level(pdp_sync, 42).unwrap();
    assert!(!subscription.state().is("ForeignImage"), "{}", subscription.describe());

    // What is installed is told, and stays.
    let words = |state: &SubscriptionState| {
        state.condition("ForeignImage")["message"].as_str().unwrap_or_default().to_owned()
    };
    let deployment = format!("Deployment wso2-dataplane-{NAMESPACE}/{ENFORCER}");
    let since = cluster.moment();
    list(&plane, &[]);
    subscription.until(pdp_sync, "the sidecar to be told", |state| state.is("ForeignImage")).unwrap();
    let state = subscription.state();
    assert_eq!(words(&state), format!("`{ENFORCER}`: {deployment}, container sidecar: {SIDECAR}:1"));
    assert_eq!(state.level(), Some(42), "nothing is put back");
    assert!(state.is("Ready") && state.is("UpToDate"), "{}", subscription.describe());
    let writes = cluster.writes_by("pdp-sync", NAMESPACE, since).unwrap();
    assert!(writes.iter().all(|(_, resource)| resource != "helmreleases"), "{writes:?}");
    pdp_sync.wait("the event", || plane.told("ForeignImage").0 == 1).unwrap();
    list(&plane, &[SIDECAR]);
    subscription.until(pdp_sync, "the list to count", |state| !state.is("ForeignImage")).unwrap();

    // A level that is being applied fails at it.
    plane.give(&theirs, "sidecar: evil.example/thing:1\n");
    release(&plane.world, 43, NAMESPACE, |line| {
        with_sidecar(line)?;
        line.replace(ENFORCER, "values.yaml", "replicas: 1", "replicas: 2")
    });
    plane.world.open(43, &["general=100"]).unwrap();
    let failed = |state: &SubscriptionState| state.phase() == "quarantined" && state.is("ForeignImage");
    subscription.until(pdp_sync, "level 43 to fail", failed).unwrap();
    let state = subscription.state();
    assert_eq!((state.level(), state.target()), (Some(42), Some(43)), "{}", subscription.describe());
    assert_eq!(state.status("target")["failed"], ENFORCER);
    let cause = state.status("target")["cause"].as_str().unwrap().to_owned();
    let named = format!("ForeignImage: {deployment}, container sidecar: evil.example/thing:");
    assert!(cause.starts_with(&named), "{cause}");
    assert!(
        words(&state).contains("container sidecar: evil.example/thing:"),
        "it is back, and so is the value"
    );
    assert_eq!(state.history()[0], (43, "failed".to_owned()));

    // It failed for nothing else: once all of it is listed it is tried again by itself.
    list(&plane, &[SIDECAR, "evil.example/thing"]);
    subscription.until_level(pdp_sync, 43).unwrap();
    assert!(!subscription.state().is("ForeignImage"), "{}", subscription.describe());
    assert_eq!(subscription.state().history()[0], (43, "healthy".to_owned()));
}
