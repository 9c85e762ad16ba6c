//! What publishing needs: images of any size go from disk to the registry piece by piece.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pdp_e2e::{Program, Running, World};
use serde_json::{Value, json};

use crate::forge::sha256;

/// Four layers of this size.
const LAYER_BYTES: usize = 64 << 20;
/// What they may add to the peak (KiB).
const MOST_MORE_KIB: u64 = 64 << 10;

#[test]
fn a_quarter_of_a_gigabyte_of_layers_is_published_in_64_mib() {
    let world = World::start().unwrap();
    let (layout, digest) = big_image(&world.path("big"));
    let out = level_with(&world, &digest);
    let small = peak_kib(&world, &out, None);
    let large = peak_kib(&world, &out, Some(&layout));
    let uploaded =
        world.registry.take_exchanges().iter().filter(|put| put.received as usize == LAYER_BYTES).count();
    assert_eq!(uploaded, 4, "each layer once, whole");
    assert!(large < small + MOST_MORE_KIB, "{large} KiB at the peak, {small} KiB without images");
}

/// The highest resident memory of `release publish`, in KiB.
fn peak_kib(world: &World, out: &str, images: Option<&Path>) -> u64 {
    let mut command = world.command(Program::Publisher).unwrap();
    command.args(["release", "publish", out, "--key", &world.key("ci"), "--key", &world.key("release-1")]);
    if let Some(images) = images {
        command.arg("--images").arg(images);
    }
    let mut running = Running::start(command, world.path("publish.log")).unwrap();
    let (mut peak, started) = (0, Instant::now());
    while running.end().is_none() {
        assert!(started.elapsed() < Duration::from_secs(300), "{}", running.stderr());
        let status = std::fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0);
        peak = peak.max(kib);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(running.code(), Some(0), "{}", running.stderr());
    assert!(peak > 0);
    peak
}

/// An OCI layout with one image of four large layers; the image's digest.
fn big_image(folder: &Path) -> (PathBuf, String) {
    let blobs = folder.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let put = |kind: &str, bytes: &[u8]| -> Value {
        let hex = sha256(bytes);
        std::fs::write(blobs.join(&hex), bytes).unwrap();
        json!({ "mediaType": kind, "digest": format!("sha256:{hex}"), "size": bytes.len() })
    };
    let layers: Vec<_> =
        (1..=4).map(|seed| put("application/vnd.oci.image.layer.v1.tar", &noise(seed))).collect();
    let config = put("application/vnd.oci.image.config.v1+json", b"{}");
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({ "schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers });
    let entry = put(kind, manifest.to_string().as_bytes());
    // With every other image of the level.
    let others = World::fixtures().join("images");
    copy(&others.join("blobs"), &folder.join("blobs"), &|text| text);
    let others = std::fs::read_to_string(others.join("index.json")).unwrap();
    let mut index: Value = serde_json::from_str(&others).unwrap();
    index["manifests"].as_array_mut().unwrap().push(entry.clone());
    std::fs::write(folder.join("index.json"), index.to_string()).unwrap();
    std::fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    (folder.to_owned(), entry["digest"].as_str().unwrap().to_owned())
}

fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut bytes = Vec::with_capacity(LAYER_BYTES);
    while bytes.len() < LAYER_BYTES {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes
}

/// Level 40 with this image in place of its first one, built and signed.
pub(crate) fn level_with(world: &World, digest: &str) -> String {
    let line = World::fixtures().join("pdp-2026");
    let text = std::fs::read_to_string(line.join("40/release.yaml")).unwrap();
    let at = text.find("sha256:").unwrap();
    let old = text[at..at + "sha256:".len() + 64].to_owned();
    let copied = world.path("line-with-big-image");
    copy(&line, &copied, &|text| text.replace(&old, digest));
    let (file, out) = (copied.join("40/release.yaml"), world.path("level-40").to_string_lossy().into_owned());
    world.publisher(&["release", "build", &file.to_string_lossy(), "--out", &out]).unwrap();
    world.publisher(&["release", "sign", &out, "--key", &world.key("artifact")]).unwrap();
    out
}

pub(crate) fn copy(from: &Path, to: &Path, edit: &impl Fn(String) -> String) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &copied, edit);
        } else {
            match String::from_utf8(std::fs::read(&path).unwrap()) {
                Ok(text) => std::fs::write(copied, edit(text)).unwrap(),
                Err(binary) => std::fs::write(copied, binary.into_bytes()).unwrap(),
            }
        }
    }
}
