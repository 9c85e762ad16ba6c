//! The command line as its users meet it. Whole passes are played in e2e.
#![allow(clippy::unwrap_used)]

use std::process::Command;

#[test]
fn the_committed_reference_is_the_programs_own() {
    let output = Command::new(env!("CARGO_BIN_EXE_pdp-sync")).arg("reference").output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let committed =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli-pdp-sync.md")).unwrap();
    assert_eq!(printed.trim_end(), committed.trim_end(), "run `make reference`");
}

#[test]
fn a_missing_subscription_and_status_are_named_with_a_hint() {
    for args in [
        &["run", "--once", "--subscription", "/nowhere.yaml", "--state", "/tmp/nowhere"][..],
        &["status", "--state", "/nowhere"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_pdp-sync")).args(args).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.starts_with("error[NotFound]:") && stderr.contains("hint:"), "{stderr}");
    }
}
