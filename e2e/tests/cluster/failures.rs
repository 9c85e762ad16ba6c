//! A bad level stops by itself, and what it touched goes back.

use pdp_e2e::Fate;
use pdp_e2e::cluster::{Kind, shared};
use serde_json::json;

use crate::plane::{COMPONENTS, Plane};
use crate::scenario::Scenario;

fn chart_refs(plane: &Plane<'_>) -> Vec<String> {
    let source = |name: &str| {
        let found = plane.cluster.api.get(Kind::HELM_RELEASE, &plane.subscription.namespace, name);
        found.unwrap().unwrap()["spec"]["chartRef"]["name"].as_str().unwrap().to_owned()
    };
    COMPONENTS.iter().map(|name| source(name)).collect()
}

#[test]
fn what_never_gets_ready_goes_back_without_the_registry() {
    let cluster = shared();
    let _scenario = Scenario::begin("failure: never ready; everything goes back while the registry is away");
    let bad = |line: &mut pdp_e2e::Line| line.fate("choreo-connect-enforcer", Fate::NeverReady);
    let plane = Plane::at_41(&cluster, "fails-back", bad);
    let (subscription, pdp_sync, before) = (&plane.subscription, &plane.pdp_sync, chart_refs(&plane));
    plane.world.open(42, &["general=100"]).unwrap();
    subscription.until(pdp_sync, "level 42 to be applied", |state| state.phase() == "applying").unwrap();
    plane.world.registry.stop();
    let failed = |state: &pdp_e2e::cluster::SubscriptionState| {
        state.history().first() == Some(&(42, "failed".to_owned()))
    };
    subscription.until(pdp_sync, "level 42 to fail and go back", failed).unwrap();
    plane.world.registry.restart().unwrap();
    subscription
        .until(pdp_sync, "the failure to be told", |state| state.reason("Stalled") == "LevelFailed")
        .unwrap();
    let state = subscription.state();
    assert_eq!((state.level(), state.phase()), (Some(41), "quarantined"), "{}", subscription.describe());
    assert_eq!(state.status("target")["failed"], "choreo-connect-enforcer");
    assert_eq!(chart_refs(&plane), before, "both components are back on the last good digest");
    assert!(!state.is("Mixed"));
}

#[test]
fn what_must_not_go_back_stays_and_is_shown() {
    let cluster = shared();
    let _scenario = Scenario::begin("failure: onFailure hold stays where it is, the rest goes back");
    let plane = Plane::at_41(&cluster, "fails-hold", |line| {
        line.set("choreo-connect-enforcer", "onFailure", json!("hold"))?;
        line.fate("choreo-connect-enforcer", Fate::NeverReady)
    });
    let (subscription, pdp_sync, before) = (&plane.subscription, &plane.pdp_sync, chart_refs(&plane));
    plane.world.open(42, &["general=100"]).unwrap();
    subscription.until(pdp_sync, "the mixture to be told", |state| state.is("Mixed")).unwrap();
    let after = chart_refs(&plane);
    assert_eq!(after[0], before[0], "certificate-manager went back");
    assert_ne!(after[1], before[1], "the enforcer holds");
    assert_eq!(subscription.state().level(), Some(41));
}

#[test]
fn a_stage_that_was_never_reached_stays_as_it_was() {
    let cluster = shared();
    let _scenario =
        Scenario::begin("failure: a component of a later stage is never touched, not even by hold");
    let plane = Plane::at_41(&cluster, "fails-early", |line| {
        line.set("choreo-connect-enforcer", "onFailure", json!("hold"))?;
        line.fate("certificate-manager", Fate::NeverReady)
    });
    let (subscription, pdp_sync, before) = (&plane.subscription, &plane.pdp_sync, chart_refs(&plane));
    plane.world.open(42, &["general=100"]).unwrap();
    let stalled = |state: &pdp_e2e::cluster::SubscriptionState| state.reason("Stalled") == "LevelFailed";
    subscription.until(pdp_sync, "level 42 to fail in its first stage", stalled).unwrap();
    let passes = || pdp_sync.passes().unwrap();
    let seen = passes();
    pdp_sync.wait("two more passes", || passes() >= seen + 2.0).unwrap();
    assert_eq!(chart_refs(&plane), before, "both components are of level 41");
    assert!(!subscription.state().is("Mixed"), "{}", subscription.describe());
}
