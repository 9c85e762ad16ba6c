//! `--dry-run`: each command that changes something has it, says what would be written, and writes nothing.

use std::collections::BTreeSet;

use crate::vendor::Vendor;
use crate::{publisher, run};

/// Commands that change what lies elsewhere or in a release. Keys, builds and ceremonies write new files of one's own.
const CHANGING: &[&str] = &[
    "catalog init",
    "catalog sign",
    "catalog renew",
    "catalog publish",
    "catalog refresh",
    "catalog redate",
    "catalog proposals drop",
    "catalog person remove",
    "catalog director add",
    "catalog director retire",
    "catalog director revoke",
    "catalog artifact add",
    "catalog artifact retire",
    "catalog artifact revoke",
    "catalog statement add",
    "catalog statement retire",
    "catalog statement revoke",
    "channel open",
    "channel plan",
    "channel stop",
    "channel move",
    "channel prune",
    "org add",
    "org ring",
    "pdp token",
    "pdp override",
    "pdp revoke",
    "release bump",
    "release init",
    "release lock",
    "release sign",
    "release publish",
    "release promote",
    "release withdraw",
    "release prune",
    "release resign",
    "release mirror",
    "rollout pause",
    "rollout resume",
    "rollout halt",
    "rollout halt-everything",
    "rollout resume-everything",
    "rollout retry",
    "rollout skip",
    "rollout acknowledge",
    "rollout expedite",
];

/// Those that change nothing, or only write new files that they are told to.
const READING: &[&str] = &[
    "catalog keys",
    "catalog proposals list",
    "catalog proposals show",
    "catalog director list",
    "catalog artifact list",
    "catalog statement list",
    "channel show",
    "completions",
    "doctor",
    "exit-codes",
    "explain",
    "exposure",
    "key ceremony",
    "key export",
    "key new",
    "key show",
    "man",
    "org list",
    "pdp list",
    "pdp show",
    "release build",
    "release diff",
    "release disclose",
    "release keep",
    "release lint",
    "release list",
    "release show",
    "release verify",
    "rollout list",
    "rollout simulate",
    "rollout status",
];

/// Who holds each role, for each of its commands.
fn of_roles() -> Vec<String> {
    let roles = ["root", "targets", "releases", "channels", "snapshot", "timestamp"];
    let verbs = ["rotate", "add-key", "remove-key", "threshold"];
    roles.iter().flat_map(|role| verbs.map(|verb| format!("catalog {role} {verb}"))).collect()
}

#[test]
fn every_command_is_known_to_change_or_not_and_those_that_do_have_a_dry_run() {
    let reference = publisher(&["reference"]).1;
    let sections = reference.split("\n## `publisher ").skip(1);
    let (mut changing, mut reading) = (BTreeSet::new(), BTreeSet::new());
    for section in sections {
        let (path, help) = section.split_once('`').unwrap();
        let path = if path.starts_with("key ceremony") { "key ceremony" } else { path };
        let has = help.contains("--dry-run");
        if CHANGING.contains(&path) || of_roles().iter().any(|it| it == path) {
            assert!(has, "`{path}` changes something and has no --dry-run");
            changing.insert(path.to_owned());
        } else {
            assert!(READING.contains(&path), "does `{path}` change anything? list it");
            assert!(!has, "`{path}` changes nothing and has --dry-run");
            reading.insert(path.to_owned());
        }
    }
    let wanted = CHANGING.iter().map(|it| (*it).to_owned()).chain(of_roles()).collect();
    assert_eq!((changing, reading), (wanted, READING.iter().map(|it| (*it).to_owned()).collect()));
}

/// Keys of a role, as options.
fn keys(vendor: &Vendor, names: &[&str]) -> Vec<String> {
    names.iter().flat_map(|name| ["--key".to_owned(), vendor.key(name)]).collect()
}

#[test]
fn a_dry_run_of_a_catalogs_commands_ends_as_the_real_one_would_and_pushes_nothing() {
    let vendor = Vendor::new();
    let (line, new) = (["--line", "pdp-2026"], vendor.path("new.key").to_str().unwrap().to_owned());
    vendor.must(&["key", "new", &new]);
    let director = vendor.path("director.key").to_str().unwrap().to_owned();
    vendor.must(&["key", "new", "--ed25519", &director]);
    let (new, director) = (new.replace(".key", ".pub"), director.replace(".key", ".pub"));
    let named = format!("zoe={new}");
    let manager = ["manager-1"];
    let online = ["snapshot", "timestamp"];
    let a = "https://a.example/c";
    let b = "https://b.example/c";
    for (args, signers, exit) in [
        (vec!["channel", "stop", "--reason", "x"], &manager[..], 0),
        (vec!["channel", "move", "--kind", "catalog", "--from", a, "--to", b], &manager, 0),
        (vec!["channel", "open", "42", "--ring", "general=5"], &manager, 11),
        (vec!["release", "withdraw", "42", "--reason", "x"], &manager, 2),
        (vec!["release", "prune"], &["ci"], 0),
        (vec!["catalog", "renew", "channels"], &manager, 0),
        (vec!["catalog", "renew", "channels"], &["ci"], 2),
        (vec!["catalog", "director", "add", &director], &["targets-1"], 0),
        (vec!["catalog", "channels", "add-key", &named], &["targets-1"], 0),
        (vec!["catalog", "root", "threshold", "3"], &["root-1"], 0),
        (vec!["catalog", "refresh"], &online, 0),
        (vec!["catalog", "publish"], &online, 0),
        (vec!["catalog", "publish"], &manager, 2),
        (vec!["catalog", "sign", "proposals/channels-2"], &manager, 2),
        (vec!["catalog", "proposals", "drop", "proposals/channels-2"], &[], 2),
    ] {
        let mut args: Vec<_> = args.into_iter().map(str::to_owned).collect();
        if ["channel", "release"].contains(&args[0].as_str()) {
            args.extend(line.map(str::to_owned));
        }
        args.extend(keys(&vendor, signers));
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let before = vendor.branches();
        let dry = vendor.run(&[&args[..], &["--dry-run"]].concat());
        assert_eq!(vendor.branches(), before, "{args:?}: {}{}", dry.1, dry.2);
        assert_eq!(dry.0, exit, "{args:?}: {}{}", dry.1, dry.2);
        let writes = exit == 0 && args[1] != "prune";
        assert_eq!(dry.2.contains("◎ dry run: `"), writes, "{args:?}: {}", dry.2);
        assert!(!writes || dry.1.contains("would"), "{args:?}: {}", dry.1);
    }
}

#[test]
fn what_a_dry_run_says_is_what_the_real_one_writes() {
    let vendor = Vendor::new();
    let key = vendor.key("manager-1");
    let stop = ["channel", "stop", "--line", "pdp-2026", "--reason", "x", "--key", &key];
    let (_, dry, said) = vendor.run(&[&stop[..], &["--dry-run"]].concat());
    let (_, real, shown) = vendor.run(&stop);
    assert_eq!(dry.replace("would be proposed", "proposed"), real);
    assert!(said.contains("`proposals/channels-2` would be pushed"), "{said}");
    // What a person has to see is shown by both.
    let words = |text: &str| text.lines().find(|line| line.contains("STOPPED")).map(str::to_owned);
    assert!(words(&said).is_some() && words(&said) == words(&shown), "{said}\n{shown}");
    let branches = vendor.branches();
    assert!(branches.contains("refs/heads/proposals/channels-2"), "{branches}");
    // A second person, who only looks.
    let digest = vendor.must(&["catalog", "proposals", "show", "proposals/channels-2", "-o", "json"]);
    let digest: serde_json::Value = serde_json::from_str(&digest).unwrap();
    let second = vendor.key("manager-2");
    let sign = ["catalog", "sign", "proposals/channels-2", "--key", &second, "--expect"];
    let looked = vendor.must(&[&sign[..], &[digest["digest"].as_str().unwrap(), "--dry-run"]].concat());
    assert!(looked.contains("would be proposed on `proposals/channels-2` with 2 signature(s)"), "{looked}");
    vendor.must(&["catalog", "proposals", "drop", "proposals/channels-2", "--dry-run"]);
    assert_eq!(vendor.branches(), branches);
}

#[test]
fn a_dry_run_of_signing_leaves_the_folder_as_it_was() {
    let vendor = Vendor::new();
    let release = crate::fixtures().join("pdp-2026/42/release.yaml");
    let out = vendor.path("built").to_str().unwrap().to_owned();
    vendor.must(&["release", "build", release.to_str().unwrap(), "--out", &out]);
    let index = || std::fs::read(vendor.path("built/index.json")).unwrap();
    let before = index();
    let key = vendor.key("artifact");
    let sign = ["release", "sign", &out, "--key", &key];
    let dry = vendor.must(&[&sign[..], &["--dry-run"]].concat());
    assert_eq!(index(), before);
    let real = vendor.must(&sign);
    assert_eq!(dry.replace(" would be added", ""), real);
    assert_ne!(index(), before);
    let again = vendor.must(&[&sign[..], &["--dry-run"]].concat());
    assert!(again.contains("was signed already"), "{again}");
}

#[test]
fn a_server_that_is_away_fails_a_dry_run_as_it_fails_the_real_one() {
    let vendor = Vendor::new();
    let server = ["--server", "https://127.0.0.1:9"];
    for args in [
        &["org", "add", "acme", "--ring", "general", "--reason", "x"][..],
        &["pdp", "token", "acme/prod"],
        &["pdp", "revoke", "acme/prod", "--reason", "x"],
        &["pdp", "override", "acme/prod", "--none", "--reason", "x"],
        &["rollout", "halt", "42", "--line", "pdp-2026", "--reason", "x"],
        &["rollout", "halt-everything", "--reason", "x"],
    ] {
        let with = |more: &[&str]| {
            let mut command = vendor.command(&[args, &server, more].concat());
            run(command.env("PUBLISHER_TOKEN", "token"))
        };
        let (dry, real) = (with(&["--dry-run"]), with(&[]));
        assert_eq!((dry.0, dry.1), (real.0, real.1), "{args:?}");
        assert!(
            dry.2.contains("error[Unreachable]") && real.2.contains("error[Unreachable]"),
            "{args:?}: {}",
            dry.2
        );
    }
}
