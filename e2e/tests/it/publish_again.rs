//! A level that is in the registry is published again by two looks; what isn't whole, or signed by another key, is sent.

use pdp_e2e::World;
use serde_json::Value;

const REPOSITORY: &str = "pdp/pdp-2026";

/// Level 40, built and signed in a folder of its own.
fn built(world: &World, folder: &str) -> String {
    let file = World::fixtures().join("pdp-2026/40/release.yaml");
    let out = world.path(folder).to_string_lossy().into_owned();
    world.publisher(&["release", "build", &file.to_string_lossy(), "--out", &out]).unwrap();
    world.publisher(&["release", "sign", &out, "--key", &world.key("artifact")]).unwrap();
    out
}

/// Blobs that were sent, and requests.
fn publish(world: &World, out: &str, more: &[&str]) -> (u64, usize) {
    let (ci, person) = (world.key("ci"), world.key("release-1"));
    let args = ["release", "publish", out, "--key", &ci, "--key", &person, "-o", "json"];
    world.registry.take_exchanges();
    let told = world.publisher(&[&args[..], more].concat()).unwrap();
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    (told["traffic"]["blobsUploaded"].as_u64().unwrap(), world.registry.take_exchanges().len())
}

/// The digest behind the level's tag.
fn bundle(world: &World) -> String {
    world.registry.content().manifest(REPOSITORY, "40").unwrap().unwrap().digest
}

/// Manifests that refer to it.
fn referrers(world: &World, digest: &str) -> Vec<String> {
    let address = format!("http://{}/v2/{REPOSITORY}/referrers/{digest}", world.registry.host());
    let list = reqwest::blocking::get(address).unwrap().text().unwrap();
    let list: Value = serde_json::from_str(&list).unwrap();
    let entries = list["manifests"].as_array().unwrap().iter();
    entries.map(|entry| entry["digest"].as_str().unwrap().to_owned()).collect()
}

/// Signatures of the bundle.
fn signatures(world: &World) -> Vec<String> {
    referrers(world, &bundle(world))
}

/// A signature of one of its components.
fn of_component(world: &World) -> String {
    let index = world.registry.content().manifest(REPOSITORY, "40").unwrap().unwrap().bytes;
    let index: Value = serde_json::from_slice(&index).unwrap();
    referrers(world, index["manifests"][0]["digest"].as_str().unwrap()).remove(0)
}

#[test]
fn what_is_there_costs_a_tenth_also_after_it_was_signed_anew_by_the_same_key() {
    let world = World::start().unwrap();
    let (_, first) = publish(&world, &built(&world, "one"), &[]);
    for folder in ["one", "another"] {
        let (blobs, requests) = publish(&world, &built(&world, folder), &[]);
        assert!(
            blobs == 0 && requests * 10 <= first,
            "{folder}: {blobs} blobs, {requests} of {first} requests"
        );
    }
    assert_eq!(signatures(&world).len(), 1);
}

#[test]
fn another_keys_signature_is_sent() {
    let world = World::start().unwrap();
    publish(&world, &built(&world, "one"), &[]);
    world.more_keys().unwrap();
    world.changed_key("artifact", "add", &world.next_key("artifact.pub"), &[]).unwrap();
    world.sign_with_next().unwrap();
    let (blobs, _) = publish(&world, &built(&world, "another"), &[]);
    assert!(blobs > 0);
    assert_eq!(signatures(&world).len(), 2);
}

#[test]
fn a_signature_that_somebody_made_up_stands_for_nobodys() {
    let world = World::start().unwrap();
    let out = built(&world, "one");
    publish(&world, &out, &[]);
    let content = world.registry.content();
    let [real] = signatures(&world).try_into().unwrap();
    // A good signature of something else, attached to the bundle.
    let theirs = content.manifest(REPOSITORY, &of_component(&world)).unwrap().unwrap();
    let mut manifest: Value = serde_json::from_slice(&theirs.bytes).unwrap();
    manifest["subject"]["digest"] = bundle(&world).into();
    put(&world, theirs.kind, &manifest);
    content.delete(REPOSITORY, &real).unwrap();
    publish(&world, &out, &[]);
    assert!(content.manifest(REPOSITORY, &real).unwrap().is_some(), "the real one is back");
}

/// Pushes a manifest as anybody may who may push.
fn put(world: &World, kind: String, manifest: &Value) {
    let address = format!("http://{}/v2/{REPOSITORY}/manifests/made-up", world.registry.host());
    let put = reqwest::blocking::Client::new().put(address).header("content-type", kind);
    assert!(put.body(manifest.to_string()).send().unwrap().status().is_success());
}

#[test]
fn where_nothing_can_be_read_but_what_a_stranger_named_wrongly_the_signature_is_sent_again() {
    let world = World::start().unwrap();
    let out = built(&world, "one");
    publish(&world, &out, &[]);
    let content = world.registry.content();
    let [real] = signatures(&world).try_into().unwrap();
    let own = content.manifest(REPOSITORY, &real).unwrap().unwrap();
    let mut manifest: Value = serde_json::from_slice(&own.bytes).unwrap();
    manifest["layers"][0]["size"] = 3.into();
    put(&world, own.kind, &manifest);
    content.delete(REPOSITORY, &real).unwrap();
    publish(&world, &out, &["--mend"]);
    assert!(content.manifest(REPOSITORY, &real).unwrap().is_some(), "the real one is back");
}

#[test]
fn what_the_registry_lost_is_mended_when_asked_for() {
    let world = World::start().unwrap();
    let out = built(&world, "one");
    publish(&world, &out, &[]);
    let lost = of_component(&world);
    world.registry.content().delete(REPOSITORY, &lost).unwrap();
    let there = || world.registry.content().manifest(REPOSITORY, &lost).unwrap().is_some();
    publish(&world, &out, &[]);
    assert!(!there(), "nobody looked");
    publish(&world, &out, &["--mend"]);
    assert!(there());
}

#[test]
fn the_bundle_is_signed_last_and_tagged_after_that() {
    let world = World::start().unwrap();
    let out = built(&world, "one");
    let (ci, person) = (world.key("ci"), world.key("release-1"));
    world.publisher(&["release", "publish", &out, "--key", &ci, "--key", &person]).unwrap();
    let puts: Vec<_> = world
        .registry
        .take_exchanges()
        .into_iter()
        .filter(|it| it.method == "PUT" && it.path.contains("/manifests/"))
        .map(|it| it.path.rsplit('/').next().unwrap().to_owned())
        .collect();
    let [.., signature, tag] = puts.as_slice() else { panic!("{puts:?}") };
    assert_eq!((tag.as_str(), signatures(&world)), ("40", vec![signature.clone()]), "{puts:?}");
}
