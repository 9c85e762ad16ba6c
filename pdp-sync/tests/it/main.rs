//! The command line as its users meet it. Whole passes are played in e2e.
#![allow(clippy::unwrap_used)]

mod chart;

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

/// `kubectl pdp` as its users meet it where there is no cluster; with one it is driven in e2e.
fn kubectl_pdp(args: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-pdp"));
    command.args(args).env_remove("KUBECONFIG").env_remove("KUBERNETES_SERVICE_HOST").env("HOME", "/nowhere");
    command.output().unwrap()
}

#[test]
fn the_committed_reference_of_kubectl_pdp_is_the_programs_own() {
    let printed = String::from_utf8(kubectl_pdp(&["reference"]).stdout).unwrap();
    let committed =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli-kubectl-pdp.md")).unwrap();
    assert_eq!(printed.trim_end(), committed.trim_end(), "run `make reference`");
}

#[test]
fn without_a_cluster_each_command_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    let kubeconfig = file.to_str().unwrap();
    std::fs::write(folder.path().join("root.json"), r#"{"signed":{"_type":"root","version":1}}"#).unwrap();
    let root = folder.path().join("root.json");
    // Port 9 (discard) of this machine answers nobody.
    std::fs::write(&file, include_str!("nowhere.yaml")).unwrap();
    for args in [
        &["status"][..],
        &["why"],
        &["history"],
        &["verify"],
        &["plan"],
        &["reconcile"],
        &["rollback", "--reason", "r", "--yes"],
        &["suspend", "--reason", "r"],
        &["resume"],
        &["trust", "show"],
        &["trust", "reset", "--yes", "--root", root.to_str().unwrap()],
    ] {
        let output = kubectl_pdp(&[args, &["--kubeconfig", kubeconfig]].concat());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?} {stderr}");
        assert!(stderr.starts_with("error[Unreachable]:") && stderr.contains("hint:"), "{args:?} {stderr}");
    }
    for (args, words) in [
        (&["status", "--kubeconfig", "/nowhere"][..], "kubeconfig /nowhere"),
        (&["status"], "kubeconfig"),
        (&["status", "--kubeconfig", kubeconfig, "--context", "other"], "context `other`"),
    ] {
        let output = kubectl_pdp(args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?} {stderr}");
        assert!(stderr.starts_with("error[BadKubeconfig]:") && stderr.contains(words), "{args:?} {stderr}");
    }
}

#[test]
fn what_is_senseless_is_refused_before_anybody_is_asked() {
    for args in [
        &["rollback"][..],
        &["rollback", "--let-go", "--reason", "r"],
        &["suspend"],
        &["status", "-A", "-n", "pdp"],
        &["why", "-A", "prod"],
        &["trust", "reset"],
        &["reconcile", "--timeout", "10"],
    ] {
        let output = kubectl_pdp(args);
        assert_eq!(output.status.code(), Some(2), "{args:?} {}", String::from_utf8_lossy(&output.stderr));
    }
    let output = kubectl_pdp(&["trust", "reset", "--root", "/nowhere"]);
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error[NotFound]: root /nowhere"));
}

fn pdp_sync(args: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_pdp-sync")).args(args).output().unwrap()
}

#[test]
fn failures_of_both_programs_are_objects_for_machines_and_their_codes_are_explained() {
    let programs: [fn(&[&str]) -> std::process::Output; 2] = [pdp_sync, kubectl_pdp];
    for (program, args, code) in [
        (0, &["status", "--state", "/nowhere", "-o", "json"][..], "NotFound"),
        (0, &["run", "--once", "--subscription", "/nowhere", "--state", "/tmp/x", "-o", "yaml"], "NotFound"),
        (0, &["status", "-o", "json"], "BadArguments"),
        (0, &["explain", "Pinnd", "-o", "json"], "UnknownCode"),
        (1, &["status", "--kubeconfig", "/nowhere", "-o", "json"], "BadKubeconfig"),
        (1, &["rollback", "-o", "json"], "BadArguments"),
        (1, &["explain", "Pinnd", "-o", "json"], "UnknownCode"),
    ] {
        let output = programs[program](args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{args:?}: {stderr}");
        let object: serde_json::Value = serde_json::from_str(stderr.lines().last().unwrap()).unwrap();
        assert_eq!(object["error"]["code"], code, "{args:?}: {stderr}");
        assert!(programs[program](&["explain", code]).status.success(), "{code}");
    }
    let unnamed = kubectl_pdp(&["why", "-o", "name"]);
    assert!(
        String::from_utf8_lossy(&unnamed.stderr).starts_with("error[NoNames]"),
        "before anybody is asked"
    );
}

#[test]
fn shells_and_man_know_the_commands_of_both_programs() {
    let folder = tempfile::tempdir().unwrap();
    type Run = fn(&[&str]) -> std::process::Output;
    let programs: [(&str, Run, &str); 2] =
        [("pdp-sync", pdp_sync, "controller"), ("kubectl-pdp", kubectl_pdp, "trust-reset")];
    for (name, program, command) in programs {
        let last = command.rsplit('-').next().unwrap();
        for shell in ["bash", "zsh", "fish"] {
            let script = String::from_utf8(program(&["completions", shell]).stdout).unwrap();
            assert!(script.contains(name) && script.contains(last), "{name} {shell}");
            assert!(!script.contains("git-token"), "{name} {shell}");
        }
        assert!(program(&["man", folder.path().to_str().unwrap()]).status.success());
        assert!(folder.path().join(format!("{name}-{command}.1")).is_file(), "{name}");
        assert!(!folder.path().join(format!("{name}-reference.1")).exists(), "{name}");
    }
}
