//! The root that a namespace trusts outlives its subscription: another name and another ConfigMap meet the same root.

use base64::{Engine, engine::general_purpose::STANDARD};
use pdp_e2e::cluster::{Cluster, Kind, PdpSync, Subscription, SubscriptionState};
use serde_json::Value;

use super::{control_plane, seen, vendor};
use crate::kubectl::Place;
use crate::scenario::Scenario;

const NAMESPACE: &str = "pinned";

fn refused(code: &'static str) -> impl Fn(&SubscriptionState) -> bool {
    move |state| state.status("refusal")["code"] == code
}

fn believed(state: &SubscriptionState) -> bool {
    seen(state).is_some()
}

fn secret(cluster: &Cluster, name: &str) -> Value {
    cluster.api.get(Kind::SECRET, NAMESPACE, name).unwrap().unwrap_or_default()["data"].clone()
}

fn lose(cluster: &Cluster, name: &str) {
    assert!(cluster.api.delete(Kind::SECRET, NAMESPACE, name).unwrap(), "{name}");
}

/// What a subscription has seen, as it is stored.
fn floors(cluster: &Cluster, subscription: &str) -> Value {
    let data = secret(cluster, &format!("pdp-{subscription}-state"));
    let bytes = STANDARD.decode(data["floors.json"].as_str().unwrap_or_default()).unwrap();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

fn gone(pdp_sync: &PdpSync, subscription: &Subscription) {
    subscription.delete().unwrap();
    pdp_sync.wait("the subscription to be gone", || subscription.state().0.is_null()).unwrap();
}

#[test]
fn a_subscription_of_another_name_meets_the_root_and_floors_of_the_one_before() {
    let cluster = control_plane();
    let _scenario = Scenario::begin(
        "state: root and floors outlive their subscription; only `trust reset` changes the root",
    );
    let world = vendor(NAMESPACE);
    let kubeconfig = cluster.admit_pdp_sync_for(NAMESPACE, &["pdp", "other"], &[]).unwrap();
    let ours = || cluster.subscription(&world, NAMESPACE).unwrap();
    let subscription = ours().apply().unwrap();
    let pdp_sync = cluster.start_pdp_sync(NAMESPACE, &kubeconfig, &[]).unwrap();
    let catalog = || world.git.files("catalog", "catalog").unwrap();
    let serve = |files| world.git.overwrite("catalog", "catalog", files).unwrap();
    subscription.until(&pdp_sync, "the catalog to be believed", believed).unwrap();
    let (old, first) = (catalog(), seen(&subscription.state()));
    world.open(42, &["general=100"]).unwrap();
    subscription.until(&pdp_sync, "the next catalog", |state| seen(state) > first).unwrap();
    let (new, highest) = (catalog(), floors(&cluster, "pdp"));
    let root = highest["pinnedRoot"].clone();
    let pinned = || secret(&cluster, "pdp-trust")["root.json"] == root;
    assert!(root.is_string() && pinned());

    // Somebody who may write UpdateSubscriptions and ConfigMaps, and has a vendor of their own.
    let evil = vendor(NAMESPACE);
    let theirs = || cluster.subscription(&evil, NAMESPACE).unwrap().named("other").apply().unwrap();
    gone(&pdp_sync, &subscription);
    let other = theirs();
    other.until(&pdp_sync, "their catalog to be refused", refused("SignatureThreshold")).unwrap();
    assert_eq!(floors(&cluster, "other"), highest);
    assert!(pinned());
    let told = || {
        let events = cluster.api.list(Kind::EVENT, NAMESPACE).unwrap();
        events.iter().any(|event| event["reason"] == "RootChanged")
    };
    pdp_sync.wait("the changed root to be told", told).unwrap();

    // Nor can they go back to an old catalog of the true vendor.
    serve(&old);
    let other = ours().named("other").apply().unwrap();
    other.until(&pdp_sync, "the old catalog to be refused", refused("VersionFloor")).unwrap();
    serve(&new);
    other.until(&pdp_sync, "the newest catalog to be believed", believed).unwrap();

    // The rightful one goes on where that one ended.
    gone(&pdp_sync, &other);
    let subscription = ours().apply().unwrap();
    subscription.until(&pdp_sync, "the rightful one to go on", believed).unwrap();
    assert_eq!(floors(&cluster, "pdp"), highest);

    // State that was lost brings no other root in.
    pdp_sync.kill();
    lose(&cluster, "pdp-pdp-state");
    let subscription_to_evil = cluster.subscription(&evil, NAMESPACE).unwrap().apply().unwrap();
    pdp_sync.start(&[]).unwrap();
    let once_more = "their catalog to be refused once more";
    subscription_to_evil.until(&pdp_sync, once_more, refused("SignatureThreshold")).unwrap();
    assert!(pinned());
    let subscription = ours().apply().unwrap();
    subscription.until(&pdp_sync, "the true catalog to be believed again", believed).unwrap();
    assert_eq!(floors(&cluster, "pdp")["pinnedRoot"], root);

    // Versions before this one wrote no pin: it is made of their floors, or found by what they labelled.
    pdp_sync.kill();
    lose(&cluster, "pdp-trust");
    pdp_sync.start(&[]).unwrap();
    pdp_sync.wait("the root to be pinned again", pinned).unwrap();
    let sources = cluster.api.list(Kind::OCI_REPOSITORY, NAMESPACE).unwrap();
    let label = |it: &Value| it["metadata"]["labels"]["updates.pdp.wso2.com/subscription"] == "pdp";
    assert!(sources.iter().any(label), "{sources:?}");
    gone(&pdp_sync, &subscription);
    pdp_sync.kill();
    lose(&cluster, "pdp-trust");
    lose(&cluster, "pdp-other-state");
    let other = theirs();
    pdp_sync.start(&[]).unwrap();
    other.until(&pdp_sync, "their catalog to be refused still", refused("SignatureThreshold")).unwrap();
    assert_eq!(floors(&cluster, "other")["pinnedRoot"], root);
    assert!(pinned());

    // A person with rights to the Secrets may.
    let place = Place::new(&cluster, NAMESPACE);
    let file = evil.root();
    let reset = place.pdp(&["trust", "reset", "other", "--yes", "--root", file.to_str().unwrap()]);
    assert!(reset.ok(), "{reset:?}");
    other.until(&pdp_sync, "their catalog to be believed", believed).unwrap();
    let now = floors(&cluster, "other")["pinnedRoot"].clone();
    assert!(now != root && secret(&cluster, "pdp-trust")["root.json"] == now);
}
