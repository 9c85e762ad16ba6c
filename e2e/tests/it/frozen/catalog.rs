//! The signed catalog, as a branch in Git and as an OCI artifact.

use pdp_e2e::World;
use serde_json::Value;

use super::{folder, plane, world};

fn role(world: &World, name: &str) -> Value {
    let files = world.git.files("catalog", "catalog").unwrap();
    serde_json::from_slice(&files[&format!("metadata/{name}.json")]).unwrap()
}

#[test]
fn the_publisher_reads_it_and_publishes_the_next_level_onto_it() {
    let world = world();
    let versions =
        || ["releases", "channels"].map(|name| role(&world, name)["signed"]["version"].as_u64().unwrap());
    let before = versions();
    let shown = world.publisher(&["release", "show", "41", "--line", "pdp-2026"]).unwrap();
    assert!(shown.stdout.contains("choreo-connect-router"), "{}", shown.stdout);
    world.release(42, "emergency").unwrap();
    let after = versions();
    assert_eq!(after, before.map(|version| version + 1));
    let files = world.git.files("catalog", "catalog").unwrap();
    for (path, content) in pdp_e2e::frozen::files(&folder().join("catalog/git/targets")).unwrap() {
        if path.starts_with("release-") {
            assert_eq!(files[&format!("targets/{path}")], content, "{path} stays as it was signed");
        }
    }
}

#[test]
fn freshness_is_signed_anew_over_it() {
    let world = world();
    let timestamp = || role(&world, "timestamp")["signed"]["version"].as_u64().unwrap();
    let before = timestamp();
    let (snapshot, key) = (world.key("snapshot"), world.key("timestamp"));
    world.publisher(&["catalog", "refresh", "--key", &snapshot, "--key", &key]).unwrap();
    assert!(timestamp() > before);
}

/// Puts the artifact into the world's registry, as a mirror would.
fn push(world: &World, repository: &str, tag: &str) {
    let oci = folder().join("catalog/oci");
    let http = reqwest::blocking::Client::new();
    for (name, bytes) in pdp_e2e::frozen::files(&oci.join("blobs")).unwrap() {
        let digest = name.replacen('-', ":", 1);
        let address =
            format!("http://{}/v2/{repository}/blobs/uploads/?digest={digest}", world.registry.host());
        let answer = http.post(address).body(bytes).send().unwrap();
        assert_eq!(answer.status().as_u16(), 201, "{name}: {answer:?}");
    }
    let manifest = std::fs::read(oci.join("manifest.json")).unwrap();
    let kind = std::fs::read_to_string(oci.join("media-type")).unwrap();
    world.registry.content().put(repository, tag, &kind, &manifest).unwrap();
}

#[test]
fn a_data_plane_reads_it_from_a_registry() {
    let world = world();
    push(&world, "pdp/catalog", "latest");
    let plane = plane(&world, "ring-state");
    let text = std::fs::read_to_string(&plane.subscription).unwrap();
    let line = text.lines().find(|line| line.contains("catalog:")).unwrap();
    let oci =
        format!("  catalog: {{oci: {{repository: {}/pdp/catalog, tag: latest}}}}", world.registry.host());
    std::fs::write(&plane.subscription, text.replace(line, &oci)).unwrap();
    let frozen = plane.status().unwrap();
    assert!(plane.pass(&world, &[]).unwrap().ok());
    let status = plane.status().unwrap();
    for field in ["level", "catalog"] {
        assert_eq!(status[field], frozen[field], "{field}: {status:#}");
    }
    assert!(status["waitingFor"].is_null() && status["refusal"].is_null(), "{status:#}");
}
