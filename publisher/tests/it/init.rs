//! A new level begins with all that the one before says, and none of its news.

use std::path::{Path, PathBuf};

use crate::{fixtures, publisher};

/// A line with level 42, which has values and a lock beside its release.yaml.
fn line() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let line = folder.path().join("pdp-2026");
    for name in ["charts", "manifests"] {
        copied(&fixtures().join("pdp-2026").join(name), &line.join(name));
    }
    copied(&fixtures().join("pdp-2026/41"), &line.join("41"));
    copied(&fixtures().join("pdp-2026/42"), &line.join("42"));
    std::fs::create_dir_all(line.join("42/values")).unwrap();
    std::fs::write(line.join("42/values/all.yaml"), "replicas: 2\n").unwrap();
    (folder, line)
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() { copied(&path, &to) } else { assert!(std::fs::copy(&path, &to).is_ok()) }
    }
}

fn init(line: &Path, more: &[&str]) -> (i32, String, String) {
    publisher(&[&["release", "init", "--in", line.to_str().unwrap()], more].concat())
}

#[test]
fn a_level_begins_as_the_one_before_without_its_news() {
    let (_folder, line) = line();
    let args = ["43", "--from", "42", "--version", "2026.12.1"];
    let (code, stdout, stderr) = init(&line, &[&args, &["--dry-run"][..]].concat());
    assert!(code == 0 && !line.join("43").exists(), "{stdout}{stderr}");
    let (code, _, stderr) = init(&line, &args);
    assert_eq!(code, 0, "{stderr}");
    let text = |level: &str| std::fs::read_to_string(line.join(level).join("release.yaml")).unwrap();
    let (old, new) = (text("42"), text("43"));
    let advisories: String = old
        .split_inclusive('\n')
        .filter(|line| line.starts_with("advisories") || line.starts_with("  - {id: WSO2"))
        .collect();
    assert_eq!(advisories.lines().count(), 2);
    let expected = old
        .replace(&advisories, "")
        .replace("level: 42", "level: 43")
        .replace("version: 2026.11.2", "version: 2026.12.1")
        .replace("kind: security", "kind: update")
        .replace("base: 41", "base: 42");
    assert_eq!(new, expected);
    assert_eq!(std::fs::read_to_string(line.join("43/values/all.yaml")).unwrap(), "replicas: 2\n");
    let (code, stdout, stderr) =
        publisher(&["release", "lint", line.join("43/release.yaml").to_str().unwrap()]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert_eq!(std::fs::read_dir(&line).unwrap().count(), 5, "nothing half-done is left");
}

#[test]
fn what_can_not_be_begun_is_refused_and_nothing_is_written() {
    let (_folder, line) = line();
    std::fs::create_dir(line.join("50")).unwrap();
    std::fs::create_dir(line.join("44")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", line.join("41/link")).unwrap();
    for (args, code) in [
        (["42", "--from", "42"], "LevelOrder"),
        (["41", "--from", "42"], "LevelOrder"),
        (["43", "--from", "40"], "NotFound"),
        (["50", "--from", "42"], "AlreadyThere"),
        (["45", "--from", "41"], "UnsafePath"),
    ] {
        let (exit, _, stderr) = init(&line, &[&args[..], &["--version", "1"]].concat());
        assert!(exit != 0 && stderr.contains(&format!("error[{code}]")), "{args:?}: {stderr}");
    }
    assert!(!line.join("43").exists() && !line.join("45").exists());
    let (exit, _, stderr) = init(&line, &["43", "--from", "42", "--version", "1", "--kind", "patch"]);
    assert!(exit != 0 && stderr.contains("update, security or hotfix"), "{stderr}");
}
