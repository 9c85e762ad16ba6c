//! `-o table|json|yaml|name`.

use serde_json::Value;

use crate::{bare, publisher};

#[test]
fn text_is_another_name_for_table() {
    let (exit, table, _) = publisher(&["exit-codes"]);
    for format in ["table", "text"] {
        assert_eq!(
            publisher(&["exit-codes", "-o", format]),
            (exit, table.clone(), String::new()),
            "{format}"
        );
    }
}

#[test]
fn yaml_says_the_same_as_json() {
    let release = crate::fixtures().join("pdp-2026/42/release.yaml");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("built");
    let fleet = crate::fixtures().join("rollouts/fleet.yaml");
    let bad = crate::fixtures().join("bad/missing-digest/release.yaml");
    for args in [
        &["exit-codes"][..],
        &["explain"],
        &["explain", "NotFound"],
        &["rollout", "simulate", fleet.to_str().unwrap()],
        &["release", "lint", release.to_str().unwrap()],
        &["release", "lint", bad.to_str().unwrap()],
        &["release", "build", release.to_str().unwrap(), "--out", out.to_str().unwrap()],
    ] {
        let (exit, json, _) = publisher(&[args, &["-o", "json"]].concat());
        let (same, yaml, _) = publisher(&[args, &["-o", "yaml"]].concat());
        assert_eq!(exit, same, "{args:?}");
        let json: Value = serde_json::from_str(&json).unwrap();
        let yaml: Value = serde_saphyr::from_str(&yaml).unwrap();
        assert_eq!(json, yaml, "{args:?}");
    }
}

#[test]
fn names_are_printed_one_a_line() {
    let (_, names, _) = publisher(&["exit-codes", "-o", "name"]);
    assert_eq!(names.lines().take(4).collect::<Vec<_>>(), ["0", "1", "2", "3"]);
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("a.key");
    publisher(&["key", "new", key.to_str().unwrap()]);
    let public = folder.path().join("a.pub");
    let show = |format| publisher(&["key", "show", public.to_str().unwrap(), "-o", format]).1;
    let json: Value = serde_json::from_str(&show("json")).unwrap();
    assert_eq!(show("name").trim_end(), json[0]["id"].as_str().unwrap());
}

#[test]
fn what_has_no_names_says_so_before_it_does_anything() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("a.key");
    for (args, exit) in [
        (&["key", "new", key.to_str().unwrap()][..], 2),
        (&["release", "lint", "/nowhere"], 2),
        (&["completions", "bash"], 2),
    ] {
        let (got, stdout, stderr) = publisher(&[args, &["-o", "name"]].concat());
        assert!(got == exit && stdout.is_empty() && stderr.contains("error[NoNames]"), "{args:?}: {stderr}");
    }
    assert!(!key.exists(), "nothing was done");
}

#[test]
fn an_unknown_format_names_those_that_there_are() {
    let (exit, _, stderr) = bare(&["exit-codes", "-o", "xml"]);
    assert!(exit == 2 && stderr.contains("table, json, yaml, name"), "{stderr}");
}
