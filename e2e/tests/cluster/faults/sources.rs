//! What levels come from goes away: source-controller with an empty storage, the registry.

use pdp_e2e::Fate;
use pdp_e2e::cluster::{Cluster, Kind, Part, SubscriptionState, alone, condition};
use serde_json::{Value, json};

use super::{LAST, chart_refs, level_failed, until_flux_is_at_it};
use crate::plane::{COMPONENTS, Plane, release};
use crate::scenario::Scenario;

/// As on a new node.
fn restart_empty(cluster: &mut Cluster) {
    cluster.stop(Part::SourceController);
    cluster.empty_source_storage().unwrap();
    cluster.start_again(Part::SourceController).unwrap();
}

/// As `flux reconcile helmrelease` asks.
fn look_again(cluster: &Cluster, name: &str) {
    let token = jiff::Timestamp::now().to_string();
    let patch = json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": token } } });
    cluster.api.patch(Kind::HELM_RELEASE, "emptied", name, &patch).unwrap();
}

/// True if Flux says of both components, at what is wanted now, that their sources have nothing for them.
fn misses_artifacts(cluster: &Cluster) -> bool {
    let all = cluster.api.list(Kind::HELM_RELEASE, "emptied").unwrap();
    let reason = |it: &Value| condition(it, "Ready")["reason"].as_str().unwrap_or_default().to_owned();
    let misses = |it: &Value| ["SourceNotReady", "ArtifactFailed"].contains(&reason(it).as_str());
    all.len() == COMPONENTS.len() && all.iter().all(misses)
}

#[test]
fn an_empty_source_controller_never_looks_like_a_bad_release() {
    let mut cluster = alone();
    let _scenario = Scenario::begin("faults: source-controller comes back empty, at rest and in mid-apply");
    let Plane { world, subscription, pdp_sync, .. } =
        Plane::at_41(&cluster, "emptied", |line| line.set(LAST, "settle", json!("30s")));
    let seen = std::sync::Mutex::new(Vec::new());
    let sound = |state: &SubscriptionState| {
        seen.lock().unwrap().push(state.history());
        assert!(
            state.phase() != "quarantined" && state.phase() != "goingBack",
            "{}",
            subscription.describe()
        );
    };
    let at_41 = chart_refs(&cluster.api, "emptied");
    restart_empty(&mut cluster);
    world.open(42, &["general=100"]).unwrap();
    let applying = |state: &SubscriptionState| {
        sound(state);
        state.phase() == "applying"
    };
    subscription.until(&pdp_sync, "level 42 to be applied", applying).unwrap();
    // While the last component settles both lose what they were made of, and nobody can fetch it again.
    until_flux_is_at_it(&cluster, &pdp_sync, &subscription, &at_41[1]);
    world.registry.stop();
    restart_empty(&mut cluster);
    COMPONENTS.iter().for_each(|name| look_again(&cluster, name));
    pdp_sync.wait("Flux to miss both artifacts", || misses_artifacts(&cluster)).unwrap();
    let since = pdp_sync.passes().unwrap();
    let seen_it = |state: &SubscriptionState| {
        sound(state);
        pdp_sync.passes().unwrap() >= since + 2.0
    };
    subscription.until(&pdp_sync, "pdp-sync to have seen it", seen_it).unwrap();
    world.registry.restart().unwrap();
    let installed = |state: &SubscriptionState| {
        sound(state);
        state.level() == Some(42) && state.is_ready()
    };
    subscription.until(&pdp_sync, "level 42 to be installed", installed).unwrap();

    release(&world, 43, "emptied", |line| line.replace(LAST, "values.yaml", "replicas: 1", "replicas: 2"));
    let at_42 = chart_refs(&cluster.api, "emptied");
    assert!(at_42.iter().zip(&at_41).all(|(now, before)| now != before));
    world.open(43, &["general=100"]).unwrap();
    until_flux_is_at_it(&cluster, &pdp_sync, &subscription, &at_42[1]);
    restart_empty(&mut cluster);
    let installed = |state: &SubscriptionState| {
        sound(state);
        state.level() == Some(43) && state.is_ready()
    };
    subscription.until(&pdp_sync, "level 43 to be installed", installed).unwrap();
    let seen = seen.into_inner().unwrap();
    assert!(seen.iter().flatten().all(|(_, result)| result == "healthy"), "{seen:?}");
}

#[test]
fn what_fails_goes_back_while_registry_and_source_controller_are_away() {
    let mut cluster = alone();
    let _scenario = Scenario::begin("faults: registry and source-controller gone at the moment of failure");
    let Plane { world, subscription, pdp_sync, .. } =
        Plane::at_41(&cluster, "alone-back", |line| line.fate(LAST, Fate::NeverReady));
    let at_41 = chart_refs(&cluster.api, "alone-back");
    world.open(42, &["general=100"]).unwrap();
    until_flux_is_at_it(&cluster, &pdp_sync, &subscription, &at_41[1]);
    world.registry.stop();
    cluster.stop(Part::SourceController);
    let back = |which: usize| chart_refs(&cluster.api, "alone-back")[which] == at_41[which];
    pdp_sync.wait("the component that failed to point back", || back(1)).unwrap();
    let going_back = |state: &SubscriptionState| state.phase() == "goingBack" && !state.is("Ready");
    subscription.until(&pdp_sync, "to be told that it goes back", going_back).unwrap();
    assert_eq!(subscription.state().level(), Some(41), "{}", subscription.describe());
    cluster.start_again(Part::SourceController).unwrap();
    // Its storage has what is needed; the registry is still away.
    let gone_back = |state: &SubscriptionState| state.history().first() == Some(&(42, "failed".to_owned()));
    subscription.until(&pdp_sync, "everything to go back without the registry", gone_back).unwrap();
    assert_eq!(chart_refs(&cluster.api, "alone-back"), at_41);
    world.registry.restart().unwrap();
    subscription.until(&pdp_sync, "the failure to be told", level_failed).unwrap();
    let state = subscription.state();
    assert_eq!((state.level(), state.phase()), (Some(41), "quarantined"), "{}", subscription.describe());
    assert!(state.is("Healthy") && !state.is("Mixed"), "{}", subscription.describe());
}
