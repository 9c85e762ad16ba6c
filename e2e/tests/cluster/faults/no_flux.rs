//! Flux isn't there, is too old, and comes.

use pdp_e2e::cluster::{Cluster, Flux, Kind, SubscriptionState, tools};
use serde_json::{Value, json};

use crate::plane::Plane;
use crate::scenario::Scenario;

/// Flux's definitions that are there.
fn definitions(cluster: &Cluster) -> Vec<String> {
    let all = cluster.api.list(Kind::DEFINITION, "").unwrap();
    let name = |it: &Value| it["metadata"]["name"].as_str().unwrap().to_owned();
    all.iter().map(name).filter(|name| name.ends_with(".toolkit.fluxcd.io")).collect()
}

/// As `flux install` labels what it installs.
fn label(cluster: &Cluster, version: &str) {
    let patch = json!({ "metadata": { "labels": { "app.kubernetes.io/version": version } } });
    let name = "helmreleases.helm.toolkit.fluxcd.io";
    cluster.api.patch(Kind::DEFINITION, "", name, &patch).unwrap();
}

/// True if the level waits for Flux, in these words.
fn waits(state: &SubscriptionState, words: &[&str]) -> bool {
    let told = state.status("obstacles").to_string();
    state.obstacles().contains(&"RequiresUnmet".to_owned())
        && words.iter().all(|word| told.contains(word))
        && state.condition("Blocked")["message"].as_str().is_some_and(|it| it.contains("RequiresUnmet"))
        && !state.is("Ready")
}

#[test]
fn pdp_sync_waits_for_flux_and_goes_on_by_itself() {
    let _scenario =
        Scenario::begin("faults: Flux too old, missing, below what the level requires; then it comes");
    let cluster = Cluster::start_bare(tools(), Flux::Old).unwrap();
    let plane = Plane::before_41(&cluster, "no-flux", |_| Ok(()), |_| Ok(()));
    let Plane { subscription, pdp_sync, world: _world, .. } = plane;
    let pid = pdp_sync.pid().unwrap();
    let wait = |what: &str, words: &[&str]| {
        subscription.until(&pdp_sync, what, |state| waits(state, words)).unwrap()
    };
    wait("a Flux with old definitions to be told", &["OCIRepository", "HelmRelease"]);
    assert!(!subscription.state().status("obstacles").to_string().contains("Kustomization"));

    for name in definitions(&cluster) {
        cluster.api.delete(Kind::DEFINITION, "", &name).unwrap();
    }
    wait("a missing Flux to be told", &["OCIRepository", "HelmRelease", "Kustomization"]);
    cluster.wait_for("the definitions to be gone", || definitions(&cluster).is_empty()).unwrap();

    cluster.define(Flux::Current).unwrap();
    label(&cluster, "v2.6.4");
    wait("a Flux below what the level requires to be told", &[">=2.7", "2.6.4"]);
    assert_eq!(subscription.state().level(), None);

    label(&cluster, "v2.9.4");
    cluster.complete().unwrap();
    subscription.until_level(&pdp_sync, 41).unwrap();
    assert_eq!(subscription.state().history(), [(41, "healthy".to_owned())]);
    assert_eq!(pdp_sync.pid().unwrap(), pid, "it never ended");
}
