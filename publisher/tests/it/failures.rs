//! What failing commands say on stderr under `-o json`: one object, and nothing on stdout.

use serde_json::Value;

use crate::{bare, publisher};

/// Real failures: arguments, and the code and exit code that they end with.
const FAILURES: &[(&[&str], &str, i32)] = &[
    (&["release", "lint", "/nowhere/release.yaml"], "NotFound", 2),
    (&["release", "sign", "/nowhere", "--key", "/nowhere"], "NotFound", 2),
    (&["rollout", "simulate", "/nowhere"], "NotFound", 2),
    (&["rollout", "simulate", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")], "BadYaml", 1),
    (&["key", "new", "/proc/cmdline"], "Exists", 2),
    (&["key", "show", "/nowhere"], "NotFound", 2),
    (&["key", "show", "/proc/self/status"], "BadCredentials", 2),
    (&["key", "ceremony", "--out", "/proc", "--line", "pdp-2026"], "Exists", 2),
    (&["org", "list", "--server", "https://127.0.0.1:9"], "TokenMissing", 4),
    (&["org", "list", "--server", "https://127.0.0.1:9", "--token-file", "/nowhere"], "NotFound", 2),
    (
        &["org", "list", "--server", "https://127.0.0.1:9", "--token-file", "/proc/self/comm"],
        "Unreachable",
        2,
    ),
    (&["catalog", "keys", "--catalog", "/nowhere", "--root", "/nowhere"], "NotFound", 2),
    (&["explain", "HelmMising"], "UnknownCode", 2),
    // What clap refuses.
    (&[], "BadArguments", 2),
    (&["release"], "BadArguments", 2),
    (&["relaese"], "BadArguments", 2),
    (&["release", "lint"], "BadArguments", 2),
    (&["release", "lint", "a", "b"], "BadArguments", 2),
    (&["release", "lint", "a", "--bad"], "BadArguments", 2),
    (&["channel", "open", "42", "--line", "pdp-2026", "--ring", "general=101"], "BadArguments", 2),
    (&["channel", "stop", "--line", "x", "--reason", "y", "--release"], "BadArguments", 2),
];

#[track_caller]
fn object(args: &[&str], stderr: &str) -> Value {
    let last = stderr.lines().last().unwrap_or_default();
    let value: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("{args:?}: {stderr}"));
    assert!(value.as_object().is_some_and(|it| it.len() == 1), "{args:?}: {value}");
    value["error"].clone()
}

#[test]
fn every_failure_is_an_object_on_stderr_and_leaves_stdout_empty() {
    for (args, code, exit) in FAILURES {
        for format in [&["-o", "json"][..], &["--output=yaml"]] {
            let all = [format, args].concat();
            let (got, stdout, stderr) = bare(&all);
            let error = object(&all, &stderr);
            assert_eq!(error["code"], *code, "{all:?}: {stderr}");
            assert_eq!((got, error["exit"].as_i64()), (*exit, Some((*exit).into())), "{all:?}");
            assert_eq!(stdout, "", "{all:?}");
            assert!(error["what"].as_str().is_some_and(|what| !what.is_empty()), "{all:?}: {stderr}");
            let keys: Vec<_> = error.as_object().unwrap().keys().map(String::as_str).collect();
            let known = ["code", "what", "where", "cause", "hint", "exit"];
            assert!(keys.iter().all(|key| known.contains(key)) && keys.len() >= 5, "{all:?}: {keys:?}");
            // What it names can be looked up.
            assert_eq!(publisher(&["explain", code]).0, 0, "{code}");
        }
    }
}

#[test]
fn the_same_failures_are_lines_for_people() {
    for (args, code, exit) in FAILURES {
        let (got, stdout, stderr) = bare(args);
        assert_eq!(got, *exit, "{args:?}: {stderr}");
        let is_said = stderr.contains(&format!("error[{code}]: "));
        // Clap says its own in its own way.
        assert!(is_said || *code == "BadArguments", "{args:?}: {stderr}");
        assert!(!stderr.contains("{\"error\"") && stdout.is_empty(), "{args:?}: {stdout}{stderr}");
    }
}

#[test]
fn clap_says_what_was_meant() {
    let (_, _, stderr) = bare(&["release", "lint", "a", "--bas-release", "b", "-o", "json"]);
    let error = object(&[], &stderr);
    assert_eq!(error["what"], "unexpected argument '--bas-release' found");
    assert!(error["hint"].as_str().unwrap().contains("--base-release"), "{stderr}");
    assert!(error["cause"].as_str().unwrap().starts_with("Usage: publisher release lint"), "{stderr}");
}

#[test]
fn help_and_version_are_answers_in_every_format() {
    for args in
        [&["--help", "-o", "json"][..], &["-o", "json", "--version"], &["-o", "yaml", "release", "--help"]]
    {
        let (exit, stdout, stderr) = bare(args);
        assert!(exit == 0 && stdout.contains("publisher") && stderr.is_empty(), "{args:?}: {stdout}{stderr}");
    }
}
