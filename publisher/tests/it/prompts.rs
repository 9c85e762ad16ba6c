//! Nobody is asked without a terminal: what would be asked fails at once, with the option that answers it.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::run;
use crate::vendor::{PASSWORD, Vendor};

const PLAN: &str = "\
line: pdp-2026
roles:
  root: { threshold: 2, holders: [alice, bob] }
  targets: { threshold: 2, holders: [alice, bob] }
  releases: { threshold: 2, holders: [alice, bob] }
  channels: { threshold: 2, holders: [alice, bob] }
  snapshot: { threshold: 1, holders: [bob] }
  timestamp: { threshold: 1, holders: [bob] }
director: [bob]
artifact: [bob]
";

/// Files of a ceremony that waits for signatures.
fn joined(vendor: &Vendor) -> Vec<String> {
    let file = |name: &str| vendor.path(name).to_str().unwrap().to_owned();
    std::fs::write(file("plan.yaml"), PLAN).unwrap();
    vendor.must(&["key", "ceremony", "start", "--plan", &file("plan.yaml"), "--out", &file("start.json")]);
    let mut all = vec![file("start.json")];
    for person in ["alice", "bob"] {
        let (keys, out) = (file(&format!("keys-{person}")), file(&format!("join-{person}.json")));
        let start = file("start.json");
        vendor.must(&["key", "ceremony", "join", &start, "--as", person, "--keys", &keys, "--out", &out]);
        all.push(out);
    }
    all
}

#[test]
fn what_would_be_asked_fails_at_once_with_the_option_that_answers_it() {
    let vendor = Vendor::new();
    let (manager, keys, signed) =
        (vendor.key("manager-1"), vendor.path("keys-alice"), vendor.path("signed.json"));
    let stop = ["channel", "stop", "--line", "pdp-2026", "--reason", "x", "--key", &manager];
    vendor.must(&stop);
    let secret = vendor.path("password").to_str().unwrap().to_owned();
    std::fs::write(&secret, PASSWORD).unwrap();
    let commit_key = vendor.path("commit").to_str().unwrap().to_owned();
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "secret", "-f", &commit_key]).status();
    assert!(made.unwrap().success());
    let (second, branch) = (vendor.key("manager-2"), "proposals/channels-2");
    let files = joined(&vendor);
    let mut ceremony = vec!["key", "ceremony", "sign"];
    ceremony.extend(files.iter().map(String::as_str));
    let (keys, signed) = (keys.to_str().unwrap(), signed.to_str().unwrap());
    ceremony.extend(["--as", "alice", "--keys", keys, "--out", signed]);
    let mut agreed = ceremony.clone();
    agreed.push("--yes");
    let server = ["--server", "https://127.0.0.1:9"];
    for (args, code, option) in [
        // A person's yes.
        (vec!["catalog", "sign", branch, "--key", &second], "NotConfirmed", "--expect"),
        (vec!["catalog", "sign", branch, "--key", &second, "--yes"], "NotConfirmed", "--expect"),
        (ceremony, "NotConfirmed", "--expect"),
        (agreed, "NotConfirmed", "--expect"),
        // Passwords of keys, and tokens.
        ([&stop[..], &["--without-password"]].concat(), "PasswordMissing", "--password-file"),
        (vec!["key", "new", "/nowhere/a.key", "--without-password"], "PasswordMissing", "PUBLISHER_PASSWORD"),
        ([&["org", "list"], &server[..]].concat(), "TokenMissing", "--token-file"),
        (
            vec![
                "channel",
                "open",
                "1",
                "--line",
                "pdp-2026",
                "--ring",
                "general=1",
                "--key",
                &manager,
                "--without-password",
            ],
            "PasswordMissing",
            "--password-file",
        ),
    ] {
        let mut command = vendor.command(&[]);
        command.args(args.iter().filter(|arg| **arg != "--without-password"));
        if args.contains(&"--without-password") {
            command.env_remove("PUBLISHER_PASSWORD");
        }
        let (before, started) = (vendor.branches(), Instant::now());
        let (exit, stdout, stderr) = run(&mut command);
        assert!(started.elapsed() < Duration::from_secs(60), "{args:?}");
        assert!(matches!(exit, 2 | 4) && stdout.is_empty(), "{args:?}: {exit} {stdout}");
        assert!(stderr.contains(&format!("error[{code}]")) && stderr.contains(option), "{args:?}: {stderr}");
        assert_eq!(vendor.branches(), before, "{args:?}");
    }
    assert!(!std::path::Path::new(signed).exists(), "nothing was signed");
    encrypted_commit_key(&vendor, &commit_key, &secret);
}

/// The key that signs commits has a password of its own.
fn encrypted_commit_key(vendor: &Vendor, commit_key: &str, secret: &str) {
    let key = vendor.key("manager-2");
    let renew = [
        "catalog",
        "renew",
        "channels",
        "--key",
        &key,
        "--password-file",
        secret,
        "--commit-key",
        commit_key,
    ];
    let before = vendor.branches();
    vendor.must(&["catalog", "proposals", "drop", "proposals/channels-2"]);
    let dropped = vendor.branches();
    assert_ne!(before, dropped);
    let (exit, _, stderr) = run(vendor.command(&renew).env_remove("PUBLISHER_PASSWORD"));
    assert!(exit == 4 && stderr.contains("error[BadCredentials]"), "{stderr}");
    assert!(stderr.contains("PUBLISHER_PASSWORD"), "{stderr}");
    assert_eq!(vendor.branches(), dropped);
}
