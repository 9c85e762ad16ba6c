//! Artifact keys rotate under Flux's own verification: what runs stays ready, also when source-controller lost its storage.

use std::collections::BTreeSet;
use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pdp_e2e::World;
use pdp_e2e::cluster::{Cluster, Kind, Part, PdpSync, alone, condition};
use serde_json::Value;

use crate::plane::{COMPONENTS, Plane, release};
use crate::scenario::Scenario;

/// A data plane at level 41, signed by the vendor's first artifact key; there are further keys.
fn at_41<'a>(cluster: &'a Cluster, namespace: &str) -> Plane<'a> {
    let world = World::start().unwrap();
    world.more_keys().unwrap();
    release(&world, 41, namespace, |_| Ok(()));
    let plane = Plane::over(cluster, world, namespace, 41);
    plane.subscription.until_level(&plane.pdp_sync, 41).unwrap();
    plane
}

/// The keys in the Secret that Flux verifies with.
fn keys(cluster: &Cluster, namespace: &str) -> BTreeSet<Vec<u8>> {
    let secret = cluster.api.get(Kind::SECRET, namespace, "pdp-pdp-artifact-keys").unwrap();
    let data = secret.as_ref().and_then(|secret| secret["data"].as_object());
    let of = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
    data.into_iter().flat_map(|data| data.values().map(of)).collect()
}

/// These files, as the Secret holds them.
fn of(files: &[&str]) -> BTreeSet<Vec<u8>> {
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn until_keys(cluster: &Cluster, pdp_sync: &PdpSync, namespace: &str, wanted: &[&str]) {
    let what = format!("{} in the Secret", wanted.join(" and "));
    pdp_sync.wait(&what, || keys(cluster, namespace) == of(wanted)).unwrap();
}

fn sources(cluster: &Cluster, namespace: &str) -> Vec<Value> {
    cluster.api.list(Kind::OCI_REPOSITORY, namespace).unwrap()
}

/// Source-controller comes back with nothing in its storage: it verifies everything again.
fn verify_again(cluster: &mut Cluster) {
    cluster.stop(Part::SourceController);
    cluster.empty_source_storage().unwrap();
    cluster.start_again(Part::SourceController).unwrap();
}

/// True once each source was fetched again and has this verdict.
fn all_are(cluster: &Cluster, namespace: &str, verified: &str, ready: &str) -> bool {
    let all = sources(cluster, namespace);
    let is = |source: &Value| {
        condition(source, "SourceVerified")["status"] == verified
            && condition(source, "Ready")["status"] == ready
            // What fails is tried again and again.
            && (verified == "False" || condition(source, "Reconciling")["status"] != "True")
    };
    all.len() >= COMPONENTS.len() && all.iter().all(is)
}

fn until(cluster: &Cluster, pdp_sync: &PdpSync, namespace: &str, verified: &str, ready: &str) {
    let what = format!("Flux to verify again: {verified}");
    let fetched = cluster.folder().join(format!("source/ocirepository/{namespace}"));
    let there = || verified == "False" || files(&fetched) >= COMPONENTS.len();
    pdp_sync
        .wait(&what, || there() && all_are(cluster, namespace, verified, ready))
        .unwrap_or_else(|e| panic!("{e:#}: {:#?}", sources(cluster, namespace)));
}

fn files(folder: &std::path::Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { 1 }).sum()
}

#[test]
fn keys_rotate_and_flux_stays_ready() {
    const NAMESPACE: &str = "key-rotation";
    let mut cluster = alone();
    let _scenario =
        Scenario::begin("artifact keys: rotated and revoked, Flux verifies again and stays ready");
    let Plane { world, subscription, pdp_sync, .. } = at_41(&cluster, NAMESPACE);
    let (first, second) = (world.public_key("artifact"), world.next_key("artifact.pub"));
    assert_eq!(keys(&cluster, NAMESPACE), of(&[&first]));
    // A second signature by a key that nobody knows yet.
    let new = world.next_key("artifact.key");
    world.publisher(&["release", "resign", "--all", "--key", &new]).unwrap();
    verify_again(&mut cluster);
    until(&cluster, &pdp_sync, NAMESPACE, "True", "True");

    world.changed_key("artifact", "add", &second, &[]).unwrap();
    until_keys(&cluster, &pdp_sync, NAMESPACE, &[&first, &second]);
    world.changed_key("artifact", "retire", &first, &[]).unwrap();
    verify_again(&mut cluster);
    until(&cluster, &pdp_sync, NAMESPACE, "True", "True");
    let both = of(&[&first, &second]);
    assert_eq!(keys(&cluster, NAMESPACE), both, "what is installed was signed by the key that is out of use");

    world.changed_key("artifact", "revoke", &first, &[]).unwrap();
    until_keys(&cluster, &pdp_sync, NAMESPACE, &[&second]);
    verify_again(&mut cluster);
    until(&cluster, &pdp_sync, NAMESPACE, "True", "True");
    let ready = |state: &pdp_e2e::cluster::SubscriptionState| state.is_ready() && state.level() == Some(41);
    subscription.until(&pdp_sync, "level 41 to be ready", ready).unwrap();

    world.sign_with_next().unwrap();
    release(&world, 42, NAMESPACE, |_| Ok(()));
    world.open(42, &["general=100"]).unwrap();
    subscription.until_level(&pdp_sync, 42).unwrap();
    assert!(subscription.state().history().iter().all(|(_, result)| result == "healthy"));
}

#[test]
fn what_only_a_revoked_key_signed_fails_once_flux_verifies_again() {
    const NAMESPACE: &str = "key-revoked";
    let mut cluster = alone();
    let _scenario = Scenario::begin(
        "artifact keys: revoked without another signature, Flux refuses what it verifies again",
    );
    let Plane { world, pdp_sync, .. } = at_41(&cluster, NAMESPACE);
    let second = world.next_key("artifact.pub");
    world.changed_key("artifact", "add", &second, &[]).unwrap();
    world.changed_key("artifact", "revoke", &world.public_key("artifact"), &["--levels-lost"]).unwrap();
    until_keys(&cluster, &pdp_sync, NAMESPACE, &[&second]);
    assert!(all_are(&cluster, NAMESPACE, "True", "True"), "what lies in its storage isn't verified again");
    verify_again(&mut cluster);
    until(&cluster, &pdp_sync, NAMESPACE, "False", "False");
}
