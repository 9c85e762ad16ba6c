//! The images of a level: indexes and Docker's types are copied byte for byte, and every part is looked for.

use std::path::{Path, PathBuf};

use pdp_e2e::{Finished, Program, Registry, World};
use serde_json::{Value, json};

use crate::forge::sha256;
use crate::publish_memory::{copy, level_with};

const LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";
const CILIUM: &str = "cilium/cilium";

/// A layout with all images of the fixtures and a Docker image for two platforms, one of an attestation's kind beside them.
pub(crate) struct Layout {
    pub(crate) folder: PathBuf,
    /// Of the list.
    pub(crate) digest: String,
    /// Of its images.
    pub(crate) parts: Vec<String>,
    pub(crate) bytes: Vec<u8>,
}

impl Layout {
    pub(crate) fn new(world: &World) -> Self {
        let folder = world.path("layout");
        copy(&World::fixtures().join("images"), &folder, &|text| text);
        let put = |kind: &str, bytes: &[u8]| -> Value {
            let hex = sha256(bytes);
            std::fs::write(folder.join("blobs/sha256").join(&hex), bytes).unwrap();
            json!({ "mediaType": kind, "digest": format!("sha256:{hex}"), "size": bytes.len() })
        };
        let part = |architecture: &str| {
            let layer = put("application/vnd.docker.image.rootfs.diff.tar.gzip", architecture.as_bytes());
            let config = put(
                "application/vnd.docker.container.image.v1+json",
                format!("{{\"a\":\"{architecture}\"}}").as_bytes(),
            );
            let manifest =
                json!({ "schemaVersion": 2, "mediaType": DOCKER, "config": config, "layers": [layer] });
            let mut part = put(DOCKER, manifest.to_string().as_bytes());
            part["platform"] = json!({ "os": "linux", "architecture": architecture });
            part
        };
        let parts = vec![part("amd64"), part("arm64")];
        let list = json!({ "schemaVersion": 2, "mediaType": LIST, "manifests": parts });
        let bytes = list.to_string().into_bytes();
        let entry = put(LIST, &bytes);
        let text = std::fs::read_to_string(folder.join("index.json")).unwrap();
        let mut index: Value = serde_json::from_str(&text).unwrap();
        index["manifests"].as_array_mut().unwrap().push(entry.clone());
        std::fs::write(folder.join("index.json"), index.to_string()).unwrap();
        let digest = |value: &Value| value["digest"].as_str().unwrap().to_owned();
        Self { digest: digest(&entry), parts: parts.iter().map(digest).collect(), bytes, folder }
    }

    fn blob(&self, digest: &str) -> PathBuf {
        self.folder.join("blobs/sha256").join(digest.strip_prefix("sha256:").unwrap())
    }
}

fn publish(world: &World, out: &str, more: &[&str]) -> Finished {
    let (ci, person) = (world.key("ci"), world.key("release-1"));
    let args = [&["release", "publish", out, "--key", &ci, "--key", &person, "-o", "json"], more].concat();
    world.run(Program::Publisher, &args, &[]).unwrap()
}

pub(crate) fn from_layout(world: &World, out: &str, layout: &Path) -> Finished {
    publish(world, out, &["--images", &layout.to_string_lossy()])
}

fn verify(world: &World, more: &[&str]) -> Finished {
    let args = [&["release", "verify", "40", "--line", "pdp-2026"], more].concat();
    world.run(Program::Publisher, &args, &[]).unwrap()
}

fn has(registry: &Registry, digest: &str) -> Option<Vec<u8>> {
    registry.content().manifest(CILIUM, digest).unwrap().map(|found| found.bytes)
}

#[test]
fn an_image_for_several_platforms_is_pushed_whole_and_its_lost_parts_are_told() {
    let world = World::start().unwrap();
    let layout = Layout::new(&world);
    let out = level_with(&world, &layout.digest);
    // A part is missing where it comes from: nothing that names it goes out.
    let part = layout.blob(&layout.parts[1]);
    let kept = std::fs::read(&part).unwrap();
    std::fs::remove_file(&part).unwrap();
    let refused = from_layout(&world, &out, &layout.folder);
    assert!(
        refused.code == Some(2) && refused.error().as_deref() == Some("ImageMissing"),
        "{}",
        refused.stderr
    );
    assert_eq!(has(&world.registry, &layout.digest), None);
    std::fs::write(&part, kept).unwrap();

    let published = from_layout(&world, &out, &layout.folder);
    assert_eq!(published.code, Some(0), "{}", published.stderr);
    assert_eq!(has(&world.registry, &layout.digest), Some(layout.bytes.clone()), "byte for byte");
    assert!(layout.parts.iter().all(|part| has(&world.registry, part).is_some()));
    world.publish_catalog().unwrap();
    world.promote(40, &[]).unwrap();
    world.publish_catalog().unwrap();
    let again: Value = serde_json::from_str(&from_layout(&world, &out, &layout.folder).stdout).unwrap();
    assert_eq!(again["traffic"]["blobsUploaded"], 0);

    let whole = verify(&world, &["--images"]);
    assert!(
        whole.code == Some(0) && whole.stdout.contains("images are there"),
        "{}{}",
        whole.stdout,
        whole.stderr
    );
    // Some registries delete parts that a list still names.
    assert!(world.registry.content().delete(CILIUM, &layout.parts[0]).unwrap());
    assert_eq!(verify(&world, &[]).code, Some(0), "nobody asked for images");
    let lost = verify(&world, &["--images"]);
    let said = format!("@{}, a part of {}", layout.parts[0], layout.digest);
    assert!(lost.stderr.contains("error[ImageMissing]") && lost.stderr.contains(&said), "{}", lost.stderr);
    // Publishing again mends it.
    assert_eq!(from_layout(&world, &out, &layout.folder).code, Some(0));
    assert_eq!(verify(&world, &["--images"]).code, Some(0));
}

#[test]
fn an_image_that_neither_layout_nor_registry_has_stops_the_publication() {
    let world = World::start().unwrap();
    let layout = Layout::new(&world);
    let absent = format!("sha256:{}", sha256(b"nowhere"));
    let out = level_with(&world, &absent);
    let refused = from_layout(&world, &out, &layout.folder);
    assert!(refused.code == Some(2) && refused.stderr.contains(&absent), "{}", refused.stderr);
    assert!(
        world.git.git("catalog", &["branch", "--list", "proposals/*"]).unwrap().is_empty(),
        "nothing is proposed"
    );
}

#[test]
fn images_are_copied_from_where_they_are_pulled() {
    let world = World::start().unwrap();
    let upstream = Registry::start().unwrap();
    // The blobs come by the publisher's own way; here they come to the upstream registry first.
    let layout = Layout::new(&world);
    let first = level_with(&world, &layout.digest);
    let up = upstream.host();
    let (ci, person) = (world.key("ci"), world.key("release-1"));
    let images = layout.folder.to_string_lossy().into_owned();
    world
        .publisher(&[
            "release",
            "publish",
            &first,
            "--registry",
            &up,
            "--images",
            &images,
            "--key",
            &ci,
            "--key",
            &person,
        ])
        .unwrap();
    world.publish_catalog().unwrap();

    let out = level_of_one(&world, &format!("{up}/{CILIUM}"), &layout.digest);
    let copied = publish(&world, &out, &["--copy-images", "--registry", &world.registry.host()]);
    assert_eq!(copied.code, Some(0), "{}", copied.stderr);
    assert_eq!(has(&world.registry, &layout.digest), Some(layout.bytes.clone()), "byte for byte");
    assert!(layout.parts.iter().all(|part| has(&world.registry, part).is_some()));
    let again = publish(&world, &out, &["--copy-images", "--registry", &world.registry.host()]);
    let again: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(again["traffic"]["blobsUploaded"], 0);
}

/// Level 41 with one chart of one image, built and signed.
fn level_of_one(world: &World, name: &str, digest: &str) -> String {
    let (folder, out) = (world.path("one/41"), world.path("out-41").to_string_lossy().into_owned());
    std::fs::create_dir_all(folder.join("app/templates")).unwrap();
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{name: a, image: {name}}}]}}\n"
    );
    let pod = pod
        .replace(
            "spec: {containers: [{name: a, image: ",
            "spec:\n  containers:\n    - name: a\n      image: ",
        )
        .replace("}]}", "");
    let release = format!(
        "apiVersion: updates.pdp.wso2.com/v1\nline: pdp-2026\nlevel: 41\nversion: '41'\nkind: update\nrepository: registry.wso2.example/pdp/pdp-2026\ncomponents:\n\
         \x20 - {{name: app, version: 1.0.0, stage: 1, chart: {{name: app, path: app}}, releaseName: app, namespace: app, onFailure: rollback, timeout: 5m, settle: 10s,\n\
         \x20    images: [{{name: \"{name}\", digest: \"{digest}\"}}]}}\n"
    );
    for (path, text) in [
        ("app/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n"),
        ("app/templates/pod.yaml", &pod),
        ("release.yaml", &release),
    ] {
        std::fs::write(folder.join(path), text).unwrap();
    }
    let file = folder.join("release.yaml").to_string_lossy().into_owned();
    world.publisher(&["release", "build", &file, "--out", &out]).unwrap();
    world.publisher(&["release", "sign", &out, "--key", &world.key("artifact")]).unwrap();
    out
}
