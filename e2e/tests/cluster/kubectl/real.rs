//! What pdp-sync and Flux really wrote, told and proven.

use pdp_e2e::World;
use pdp_e2e::cluster::shared;
use serde_json::{Value, json};

use crate::scenario::Scenario;

use super::Place;

#[test]
fn a_level_that_flux_applied_is_told_and_proven() {
    let world = World::start().unwrap();
    for level in [41, 42] {
        world.release(level, "emergency").unwrap();
    }
    world.open(41, &["general=100"]).unwrap();
    let cluster = shared();
    let _scenario = Scenario::begin("kubectl pdp on what pdp-sync and Flux really did");
    let kubeconfig = cluster.admit_pdp_sync("kubectl-real").unwrap();
    let subscription = cluster.subscription(&world, "kubectl-real").unwrap().apply().unwrap();
    let pdp_sync = cluster.start_pdp_sync("kubectl-real", &kubeconfig, &[]).unwrap();
    subscription.until_level(&pdp_sync, 41).unwrap();
    let place = Place::new(&cluster, "kubectl-real");

    let verified = place.pdp(&["verify", "--pods", "-o", "json"]);
    assert!(verified.ok(), "{verified:?}");
    let verified: Value = serde_json::from_str(&verified.stdout).unwrap();
    assert!(verified["components"].as_array().unwrap().len() > 10, "{verified}");
    assert!(verified["pods"]["right"].as_u64() > Some(0), "{verified}");
    let history = place.pdp(&["history"]);
    let words = "newest decision: level 41";
    assert!(
        history.stdout.contains(words) && history.stdout.contains("started by the channel"),
        "{history:?}"
    );
    let trust = place.pdp(&["trust", "show"]);
    assert!(
        trust.ok() && trust.stdout.contains("pinned root  version 1") && trust.stdout.contains("channels"),
        "{trust:?}"
    );

    let freeze =
        json!({ "reason": "quarter-end", "from": "2020-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z" });
    subscription.patch(&json!({ "spec": { "policy": { "freezes": [freeze] } } })).unwrap();
    world.open(42, &["general=100"]).unwrap();
    let asked = place.pdp(&["reconcile"]);
    assert!(asked.ok() && asked.stdout.contains("✗ Frozen: frozen: quarter-end"), "{asked:?}");
    let plan = place.pdp(&["plan"]);
    assert!(plan.code == Some(1) && plan.stdout.contains("v1.19.3 -> v1.19.4"), "{plan:?}");
    assert!(place.pdp(&["suspend", "--reason", "audit week"]).ok());
    let resumed = place.pdp(&["resume"]);
    assert!(resumed.ok() && resumed.stdout.contains("level 42 is next"), "{resumed:?}");
    // Nothing of all that touched what runs.
    assert!(place.pdp(&["verify"]).ok());
}
