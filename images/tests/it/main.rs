//! The image that comes out, as a runtime would read it.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use pdp_images::{Program, with_digest, write};
use pdp_transport::archive;
use pdp_transport::oci::{Layout, Manifest};
use serde_json::Value;

const MAX: u64 = 16 << 20;

fn program() -> Program {
    Program {
        name: "pdp-sync".to_owned(),
        version: "0.1.0".to_owned(),
        revision: "abc".to_owned(),
        description: "a test".to_owned(),
        created: 0,
        binary: b"\x7fELF".to_vec(),
    }
}

fn manifest(layout: &Layout) -> Manifest {
    let entry = layout.entries().unwrap().remove(0);
    serde_json::from_slice(&layout.blob(&entry.digest, MAX).unwrap()).unwrap()
}

#[test]
fn the_same_program_gives_the_same_image_in_any_folder() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let other = two.path().join("deep/er");
    std::fs::create_dir_all(other.join("blobs/sha256")).unwrap();
    std::fs::write(other.join("blobs/sha256/stale"), "left from the last time").unwrap();
    assert_eq!(write(&program(), one.path()).unwrap(), write(&program(), &other).unwrap());
    assert!(!other.join("blobs/sha256/stale").exists());
    let changed = Program { binary: b"\x7fELG".to_vec(), ..program() };
    assert_ne!(write(&program(), one.path()).unwrap(), write(&changed, &other).unwrap());
}

#[test]
fn it_runs_as_nobody_and_holds_the_program_and_public_cas_alone() {
    let folder = tempfile::tempdir().unwrap();
    write(&program(), folder.path()).unwrap();
    let layout = Layout::open(folder.path()).unwrap();
    let manifest = manifest(&layout);
    let config: Value = serde_json::from_slice(&layout.blob(&manifest.config.digest, MAX).unwrap()).unwrap();
    assert_eq!(config["config"]["User"], "65532:65532");
    assert_eq!(config["config"]["Entrypoint"][0], "/pdp-sync");
    assert_eq!(config["created"], "1970-01-01T00:00:00Z");
    assert_eq!(config["rootfs"]["diff_ids"].as_array().unwrap().len(), manifest.layers.len());
    let files: Vec<_> = manifest
        .layers
        .iter()
        .flat_map(|layer| archive::unpack(&layout.blob(&layer.digest, MAX).unwrap(), MAX).unwrap())
        .collect();
    let names: Vec<_> = files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(names, ["etc/nsswitch.conf", "etc/ssl/certs/ca-certificates.crt", "pdp-sync"]);
    let roots = String::from_utf8_lossy(&files[1].1);
    assert!(roots.matches("-----BEGIN CERTIFICATE-----\n").count() > 100);
}

#[test]
fn a_released_chart_carries_the_digest_of_its_image() {
    let folder = tempfile::tempdir().unwrap();
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pdp-sync/chart");
    let digest = format!("sha256:{}", "a".repeat(64));
    with_digest(&chart, &folder.path().join("chart"), &digest).unwrap();
    let values = std::fs::read_to_string(folder.path().join("chart/values.yaml")).unwrap();
    assert!(values.contains(&format!("  digest: {digest}\n")));
    let again = with_digest(&folder.path().join("chart"), &folder.path().join("again"), &digest).unwrap_err();
    assert!(again.to_string().contains("exactly once"), "{again}");
}
