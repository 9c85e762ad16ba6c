//! The same bytes from any folder.

use std::path::Path;

use crate::{fixtures, publisher};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn build(line: &Path, out: &Path) -> (String, Vec<u8>) {
    let file = line.join("42/release.yaml");
    let args = ["release", "build", file.to_str().unwrap(), "--out", out.to_str().unwrap(), "-o", "json"];
    let (code, stdout, stderr) = publisher(&args);
    assert_eq!(code, 0, "{stderr}");
    let value: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let descriptor = std::fs::read(out.join("release-pdp-2026-42.json")).unwrap();
    (value["digest"].as_str().unwrap().to_owned(), descriptor)
}

#[test]
fn two_folders_give_one_digest_and_one_descriptor() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    copy(&fixtures().join("pdp-2026"), &elsewhere);
    let here = build(&fixtures().join("pdp-2026"), &folder.path().join("a"));
    let there = build(&elsewhere, &folder.path().join("b"));
    assert_eq!(here, there);
    let changed = elsewhere.join("charts/choreo-connect-router-1.0.2/values.yaml");
    let text = std::fs::read_to_string(&changed).unwrap().replace("replicas: 1", "replicas: 2");
    std::fs::write(&changed, text).unwrap();
    assert_ne!(build(&elsewhere, &folder.path().join("c")).0, here.0, "content decides");
}

#[test]
fn building_again_over_a_half_written_layout_ends_whole() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("layout");
    let whole = build(&fixtures().join("pdp-2026"), &out);
    std::fs::remove_file(out.join("index.json")).unwrap();
    std::fs::remove_file(out.join("release-pdp-2026-42.json")).unwrap();
    assert_eq!(build(&fixtures().join("pdp-2026"), &out), whole);
}
