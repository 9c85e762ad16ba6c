//! What a CI system reads in our output: nothing that others wrote; and what scripts are told when stdout fails.

use std::fs::OpenOptions;
use std::process::Stdio;

use serde_json::Value;

use crate::{bare, command};

/// Beginnings that would be commands: of GitHub, of GitHub and Azure anywhere in a line.
fn commands(text: &str) -> Vec<&str> {
    let is =
        |line: &&str| line.trim_start().starts_with("::") || line.contains("##[") || line.contains("##vso[");
    text.lines().filter(is).collect()
}

#[test]
fn no_name_from_outside_becomes_a_command_of_a_ci_system() {
    let names = [
        "/nowhere/a\n::error::x",
        "/nowhere/a\n  ::add-mask::x",
        "/nowhere/##vso[a]x",
        "/nowhere/##[add-mask]x",
    ];
    for name in names {
        for args in [&["release", "lint", name][..], &["key", "show", name], &["explain", name], &[name]] {
            for format in ["table", "json", "yaml"] {
                let (exit, stdout, stderr) = bare(&[args, &["-o", format]].concat());
                assert_eq!((exit, stdout.as_str(), commands(&stderr)), (2, "", vec![]), "{args:?}: {stderr}");
                let last = serde_json::from_str::<Value>(stderr.lines().last().unwrap());
                assert!(format == "table" || last.is_ok(), "{stderr}");
            }
        }
    }
}

#[test]
fn findings_about_hostile_names_are_no_commands_in_any_format() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("a\n::stop-commands::x\n##[group]");
    std::fs::create_dir(&folder).unwrap();
    let release = folder.join("release.yaml");
    std::fs::write(&release, "level: none\n").unwrap();
    for format in ["table", "json", "yaml"] {
        let mut lint = command(&["release", "lint", release.to_str().unwrap(), "-o", format]);
        let output = lint.env("GITHUB_ACTIONS", "true").output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        assert_eq!((output.status.code(), commands(&stdout)), (Some(1), vec![]), "{format}");
        let read: Option<Value> = match format {
            "json" => serde_json::from_str(&stdout).ok(),
            _ => serde_saphyr::from_str(&stdout).ok(),
        };
        let file = read.as_ref().and_then(|all| all[0]["file"].as_str());
        assert!(format == "table" || file == release.to_str(), "{stdout}");
        // The annotations alone are meant to be read.
        assert!(commands(&stderr).iter().all(|line| line.starts_with("::error file=")), "{stderr}");
    }
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    for args in [
        &["exit-codes"][..],
        &["explain", "-o", "json"],
        &["exit-codes", "-o", "name"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = command(args).stdout(full).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains("NotPrinted") && stderr.contains("No space left"), "{args:?}: {stderr}");
    }
}

#[test]
fn whoever_closes_the_pipe_has_read_enough() {
    for args in [&["explain"][..], &["explain", "-o", "json"], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command(args).stdout(Stdio::from(writer)).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}
