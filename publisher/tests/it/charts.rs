//! Charts as they are packed: what is in the archive, and what the config says.

use std::collections::BTreeMap;
use std::path::Path;

use pdp_transport::archive;
use pdp_transport::oci::{Layout, MAX_MANIFEST_BYTES, Manifest};
use serde_json::{Value, json};

use crate::{fixtures, publisher};

const MAX: u64 = 1 << 20;

/// The files of the one component of a release, and its config.
struct Packed {
    files: BTreeMap<String, Vec<u8>>,
    config: Value,
}

fn build(release: &Path) -> Packed {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    let (code, stdout, stderr) = publisher(&["release", "build", release.to_str().unwrap(), "--out", folder]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let layout = Layout::open(out.path()).unwrap();
    let blob = |digest: &pdp_policies::Digest| layout.blob(digest, MAX).unwrap();
    let index: Value = serde_json::from_slice(&blob(&layout.entries().unwrap()[0].digest)).unwrap();
    let child = index["manifests"][0]["digest"].as_str().unwrap().parse().unwrap();
    let manifest: Manifest =
        serde_json::from_slice(&layout.blob(&child, MAX_MANIFEST_BYTES).unwrap()).unwrap();
    let files = archive::unpack_chart(&blob(&manifest.layers[0].digest), MAX).unwrap();
    Packed {
        files: files.into_iter().collect(),
        config: serde_json::from_slice(&blob(&manifest.config.digest)).unwrap(),
    }
}

fn case(name: &str) -> Packed {
    build(&fixtures().join(format!("charts-real-shaped/{name}/release.yaml")))
}

/// The paths without the chart's own folder, and without the files that every case has.
fn names(packed: &Packed) -> Vec<&str> {
    let names = packed.files.keys().map(|path| path.strip_prefix("alpha/").unwrap());
    names.filter(|name| !matches!(*name, "Chart.yaml" | "templates/a.yaml")).collect()
}

#[test]
fn only_what_helm_packs_is_in_the_archive() {
    for (name, files) in [
        (
            "helmignore",
            &[
                ".helmignore",
                "files/ci/kept.yaml",
                "files/kept.txt",
                "notes/a.md",
                "notes/a.rst",
                "values.yaml",
            ][..],
        ),
        ("helmignore-negated", &["files/a.txt"]),
        (
            "names",
            &[
                "files/größe/日本 1.txt",
                "files/ääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää.txt",
                "templates/files.yaml",
                "templates/two words.yaml",
            ],
        ),
        ("packed-subchart", &["charts/redis-1.2.3.tgz"]),
        (
            "alias",
            &[
                "charts/store-1/Chart.yaml",
                "charts/store-1/templates/s.yaml",
                "charts/store-1/values.yaml",
                "charts/store-2/Chart.yaml",
                "charts/store-2/templates/s.yaml",
                "charts/store-2/values.yaml",
                "values.yaml",
            ],
        ),
        ("packed", &[".helmignore", "files/two words.txt"]),
    ] {
        let packed = case(name);
        assert_eq!(names(&packed), files, "{name}");
    }
}

/// The case of external-secrets: files for tests, left out by name, are no valid templates.
#[test]
fn secrets_and_a_repository_of_git_that_are_ignored_are_not_shipped() {
    let folder = tempfile::tempdir().unwrap();
    let level = folder.path().join("2");
    let write = |path: &str, text: &str| {
        let path = level.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let release = std::fs::read_to_string(fixtures().join("charts-real-shaped/packed/release.yaml")).unwrap();
    write("release.yaml", &release.replace("alpha-1.0.0.tgz", "chart"));
    write("chart/Chart.yaml", "apiVersion: v2\nname: alpha\nversion: 1.0.0\n");
    write("chart/.helmignore", ".git/\n.env\ntests/\n*_test.yaml\n.helmignore\n");
    write("chart/.git/config", "[remote] url = https://user:secret@git.example/a\n");
    write("chart/.env", "TOKEN=secret\n");
    write("chart/tests/.env", "TOKEN=secret\n");
    write("chart/templates/tests/x.yaml", "{{ broken\n");
    write("chart/templates/a_test.yaml", "{{ broken\n");
    // Helm doesn't look at a link that is left out, nor do we.
    std::os::unix::fs::symlink("/etc", level.join("chart/tests/link")).unwrap();
    let packed = build(&level.join("release.yaml"));
    assert_eq!(packed.files.keys().collect::<Vec<_>>(), ["alpha/Chart.yaml"]);
}

#[test]
fn the_config_has_the_types_that_helm_gives_it() {
    let config = json!({
        "annotations": {"number": "20240101", "text": "1.10"},
        "apiVersion": "v2",
        "appVersion": "1.1",
        "deprecated": true,
        "description": "two lines ",
        "keywords": ["1", "2.5", "true"],
        "kubeVersion": ">=1.25.0-0",
        "maintainers": [{"email": "a@example.com", "name": "A"}],
        "name": "alpha",
        "version": "1.20",
    });
    assert_eq!(case("types").config, config);
    let dependencies = json!([{"name": "store", "version": ">=1.0.0 <2", "repository": "file://../store"}]);
    assert_eq!(case("requirements").config["dependencies"], dependencies);
}

#[test]
fn an_overlay_is_packed_with_its_bases_and_a_kustomization_that_builds_it() {
    let packed = case("overlay");
    let root = String::from_utf8(packed.files["kustomization.yaml"].clone()).unwrap();
    assert!(root.contains("- \"overlays/prod\"\n"), "{root}");
    assert!(packed.files.contains_key("base/files/two words.txt"));
}

#[test]
fn the_digest_of_a_packed_chart_is_the_one_of_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let level = folder.path().join("2");
    std::fs::create_dir_all(level.join("chart")).unwrap();
    let packed = case("packed");
    for (path, content) in &packed.files {
        let path = level.join("chart").join(path.strip_prefix("alpha/").unwrap());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let release = std::fs::read_to_string(fixtures().join("charts-real-shaped/packed/release.yaml")).unwrap();
    std::fs::write(level.join("release.yaml"), release.replace("alpha-1.0.0.tgz", "chart")).unwrap();
    let unpacked = build(&level.join("release.yaml"));
    assert_eq!(unpacked.files, packed.files);
}
