//! The root that a namespace trusts outlives its subscription: another name and another ConfigMap meet the same root.

use base64::{Engine, engine::general_purpose::STANDARD};
use pdp_e2e::World;
use pdp_e2e::cluster::{Cluster, Kind, Subscription, SubscriptionState, shared};
use serde_json::Value;

use crate::kubectl::Place;
use crate::plane::{Plane, release};
use crate::scenario::Scenario;

const NAMESPACE: &str = "pinned";

fn refused(code: &'static str) -> impl Fn(&SubscriptionState) -> bool {
    move |state| state.status("refusal")["code"] == code
}

/// The catalog is believed; what `pdp` installed is still a stranger's to a subscription of another name.
fn believed(state: &SubscriptionState) -> bool {
    state.status("refusal").is_null() && state.reason("Blocked") == "ForeignOwner"
}

fn secret(cluster: &Cluster, name: &str) -> Value {
    cluster.api.get(Kind::SECRET, NAMESPACE, name).unwrap().unwrap_or_default()["data"].clone()
}

/// The root that a subscription's floors begin with.
fn root_of(cluster: &Cluster, subscription: &str) -> Value {
    let data = secret(cluster, &format!("pdp-{subscription}-state"));
    let floors = STANDARD.decode(data["floors.json"].as_str().unwrap_or_default()).unwrap();
    serde_json::from_slice::<Value>(&floors).unwrap_or_default()["pinnedRoot"].clone()
}

fn gone(plane: &Plane<'_>, subscription: &Subscription) {
    subscription.delete().unwrap();
    plane.pdp_sync.wait("the subscription to be gone", || subscription.state().0.is_null()).unwrap();
}

#[test]
fn a_subscription_of_another_name_meets_the_root_and_floors_of_the_one_before() {
    let cluster = shared();
    let _scenario = Scenario::begin(
        "state: root and floors outlive their subscription; only `trust reset` changes the root",
    );
    let plane = Plane::at_41(&cluster, NAMESPACE, |_| Ok(()));
    let pdp_sync = &plane.pdp_sync;
    cluster.admit_pdp_sync_for(NAMESPACE, &["pdp", "other"], &[]).unwrap();
    let catalog = || plane.world.git.files("catalog", "catalog").unwrap();
    let serve = |files| plane.world.git.overwrite("catalog", "catalog", files).unwrap();
    let old = catalog();
    plane.world.open(42, &["general=100"]).unwrap();
    plane.subscription.until_level(pdp_sync, 42).unwrap();
    let new = catalog();
    let root = root_of(&cluster, "pdp");
    assert!(root.is_string() && secret(&cluster, "pdp-trust")["root.json"] == root);

    // Somebody who may write UpdateSubscriptions and ConfigMaps, and has a vendor of their own.
    let evil = World::start().unwrap();
    release(&evil, 43, NAMESPACE, |_| Ok(()));
    evil.open(43, &["general=100"]).unwrap();
    let theirs = || cluster.subscription(&evil, NAMESPACE).unwrap().named("other").apply().unwrap();
    gone(&plane, &plane.subscription);
    let other = theirs();
    other.until(pdp_sync, "their catalog to be refused", refused("SignatureThreshold")).unwrap();
    assert_eq!(root_of(&cluster, "other"), root);
    assert_eq!(secret(&cluster, "pdp-trust")["root.json"], root);
    pdp_sync.wait("the changed root to be told", || plane.told("RootChanged") >= (1, 1)).unwrap();

    // Nor can they go back to an old catalog of the true vendor.
    serve(&old);
    let other = cluster.subscription(&plane.world, NAMESPACE).unwrap().named("other").apply().unwrap();
    other.until(pdp_sync, "the old catalog to be refused", refused("VersionFloor")).unwrap();
    serve(&new);
    other.until(pdp_sync, "the newest catalog to be believed", believed).unwrap();

    // The rightful one goes on where it ended.
    gone(&plane, &other);
    let subscription = plane.subscription.clone().apply().unwrap();
    subscription.until_level(pdp_sync, 42).unwrap();
    assert_eq!(root_of(&cluster, "pdp"), root);

    // Versions before this one wrote no pin: it is made of their floors, or found by what they labelled.
    pdp_sync.kill();
    plane.cluster.api.delete(Kind::SECRET, NAMESPACE, "pdp-trust").unwrap();
    pdp_sync.start(&[]).unwrap();
    let pinned = || secret(&cluster, "pdp-trust")["root.json"] == root;
    pdp_sync.wait("the root to be pinned again", pinned).unwrap();
    gone(&plane, &subscription);
    pdp_sync.kill();
    for name in ["pdp-trust", "pdp-other-state"] {
        plane.cluster.api.delete(Kind::SECRET, NAMESPACE, name).unwrap();
    }
    let other = theirs();
    pdp_sync.start(&[]).unwrap();
    other.until(pdp_sync, "their catalog to be refused still", refused("SignatureThreshold")).unwrap();
    assert!(pinned() && root_of(&cluster, "other") == root);

    // A person with rights to the Secrets may.
    let place = Place::new(&cluster, NAMESPACE);
    let file = evil.root();
    let reset = place.pdp(&["trust", "reset", "other", "--yes", "--root", file.to_str().unwrap()]);
    assert!(reset.ok(), "{reset:?}");
    other.until(pdp_sync, "their catalog to be believed", believed).unwrap();
    assert_ne!(root_of(&cluster, "other"), root);
    assert_eq!(secret(&cluster, "pdp-trust")["root.json"], root_of(&cluster, "other"));
}
