//! `publisher release keep`: what a registry must keep for the catalog, and what else it has.

use std::collections::BTreeSet;

use pdp_e2e::{Finished, Impostor, Program, World};
use serde_json::{Value, json};

use crate::growth::prune;
use crate::images::{Layout, from_layout};
use crate::publish_memory::level_with;

const BUNDLES: &str = "pdp/pdp-2026";
const CILIUM: &str = "cilium/cilium";
const KIND: &str = "application/vnd.oci.image.manifest.v1+json";

fn keep(world: &World, more: &[&str]) -> Finished {
    let args = [&["release", "keep", "-o", "json"], more].concat();
    world.run(Program::Publisher, &args, &[]).unwrap()
}

fn said(finished: &Finished) -> Value {
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    serde_json::from_str(&finished.stdout).unwrap()
}

/// `host/path` in the vendor's registry.
fn place(world: &World, path: &str) -> String {
    format!("{}/{path}", world.registry.host())
}

fn needed(said: &Value, repository: &str) -> BTreeSet<String> {
    let items = said["needed"].as_array().unwrap().iter().filter(|it| it["repository"] == repository);
    items.map(|it| it["digest"].as_str().unwrap().to_owned()).collect()
}

fn spare_tags(world: &World, path: &str) -> BTreeSet<String> {
    let said = said(&keep(world, &["--without-server", "--repository", &place(world, path)]));
    said["spare"][0]["tags"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn all_of_each_level_has_to_stay_and_what_is_beside_it_is_listed_and_not_deleted() {
    let world = World::start().unwrap();
    let layout = Layout::new(&world);
    let out = level_with(&world, &layout.digest);
    assert_eq!(from_layout(&world, &out, &layout.folder).code, Some(0));
    world.publish_catalog().unwrap();
    let (bundles, cilium) = (place(&world, BUNDLES), place(&world, CILIUM));

    let all = said(&keep(&world, &["--without-server"]));
    let (of_bundles, of_cilium) = (needed(&all, &bundles), needed(&all, &cilium));
    let tags = world.registry.content().tags(BUNDLES).unwrap();
    assert!(tags.len() > 2 && all["absent"] == json!([]), "{all:#}");
    for tag in &tags {
        let found = world.registry.content().manifest(BUNDLES, tag).unwrap().unwrap();
        assert!(of_bundles.contains(&found.digest), "{tag}");
    }
    // Each is signed once.
    assert_eq!(of_bundles.len(), 2 * tags.len());
    for digest in layout.parts.iter().chain([&layout.digest]) {
        assert!(of_cilium.contains(digest), "{digest}");
    }

    let content = world.registry.content();
    let put = |path: &str, tag: &str, bytes: &str| content.put(path, tag, KIND, bytes.as_bytes()).unwrap();
    let other = r#"{"schemaVersion":2,"config":{},"layers":[]}"#;
    let old = put(BUNDLES, "12", other);
    put(BUNDLES, "41-cilium", other);
    put(CILIUM, "v1.2.3", other);
    content.point(CILIUM, "v1.16.4", &layout.digest).unwrap();
    let found = said(&keep(&world, &["--without-server", "--repository", &bundles, "--repository", &cilium]));
    assert_eq!(
        found["spare"][0]["tags"],
        json!({ "12": old }),
        "41 is above the newest level: it is being published"
    );
    assert_eq!(found["spare"][0]["manifests"], json!([]), "41-cilium has the same");
    assert_eq!(found["spare"][1]["tags"], json!({ "v1.2.3": old }));
    assert_eq!(content.tags(BUNDLES).unwrap().len(), tags.len() + 2);

    // Parts of what lost a part stay.
    assert!(content.delete(CILIUM, &layout.parts[0]).unwrap());
    let lost = said(&keep(&world, &["--without-server"]));
    assert!(
        needed(&lost, &cilium).is_superset(&of_cilium)
            && lost["absent"][0].to_string().contains(&layout.parts[0])
    );
}

#[test]
fn a_pruned_level_can_go_once_nobody_runs_it_and_takes_no_part_of_others_along() {
    let world = World::start().unwrap();
    world.release(40, "emergency").unwrap();
    world.release(41, "emergency").unwrap();
    assert_eq!(spare_tags(&world, BUNDLES), BTreeSet::new());
    let old = ["--keep", "1", "--older-than", "0", "--without-server"];
    let hash = |level: u32| {
        let files = world.git.files("catalog", "catalog").unwrap();
        crate::forge::sha256(&files[&format!("targets/release-pdp-2026-{level}.json")])
    };
    let of_40 = hash(40);
    for (what, more) in [("channel", &old[..]), ("release", &[])] {
        let pruned = prune(&world, what, more);
        assert!(pruned.ok(), "{}", pruned.stderr);
        world.publish_catalog().unwrap();
    }
    let spare = spare_tags(&world, BUNDLES);
    assert!(spare.contains("40") && spare.iter().all(|tag| tag.starts_with("40")), "{spare:?}");
    let found = said(&keep(&world, &["--without-server", "--repository", &place(&world, BUNDLES)]));
    let of_41 = needed(&found, &place(&world, BUNDLES));
    let can_go = found["spare"][0]["manifests"].as_array().unwrap();
    assert!(!can_go.is_empty() && can_go.iter().all(|it| !of_41.contains(it.as_str().unwrap())));

    let unasked = keep(&world, &[]);
    assert!(
        unasked.code == Some(2) && unasked.error().as_deref() == Some("ServerNeeded"),
        "{}",
        unasked.stderr
    );
    let server = Impostor::start().unwrap();
    let asked = |level: u32, hash: &str| {
        let item = json!({ "level": level, "sha256": format!("sha256:{hash}"), "dataPlanes": 1 });
        server.says("levels", json!({ "items": [item] }).to_string().into_bytes());
        let args = ["release", "keep", "--server", &server.url()];
        world.run(Program::Publisher, &args, &[("PUBLISHER_TOKEN", "token")]).unwrap()
    };
    assert_eq!(asked(41, &hash(41)).code, Some(0));
    let unknown = asked(40, &of_40);
    let is_told = unknown.stderr.contains("error[LevelUnknown]") && unknown.stderr.contains("40");
    assert!(unknown.code == Some(1) && is_told, "{:?} {}", unknown.code, unknown.stderr);
    let elsewhere = keep(&world, &["--without-server", "--repository", &place(&world, "not/ours")]);
    assert!(
        elsewhere.code == Some(11) && elsewhere.error().as_deref() == Some("NotFound"),
        "{}",
        elsewhere.stderr
    );
}
