//! The command line as operators meet it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

fn channel_server(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_channel-server")).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_committed_reference_is_the_programs_own() {
    let (_, printed, _) = channel_server(&["reference"]);
    let committed =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli-channel-server.md"))
            .unwrap();
    assert_eq!(printed.trim_end(), committed.trim_end(), "run `make reference`");
}

#[test]
fn a_token_is_shown_once_listed_without_its_secret_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.db");
    let database = file.to_str().unwrap();
    let create = ["token", "create", "--database", database, "--name", "ada", "--role", "admin"];
    let (code, secret, _) = channel_server(&create);
    assert!(code == 0 && secret.starts_with("pdpt_"), "{secret}");
    let (_, list, _) = channel_server(&["token", "list", "--database", database]);
    assert!(list.contains("ada") && !list.contains(secret.trim()), "{list}");
    let stored = std::fs::read(&file).unwrap();
    assert!(!String::from_utf8_lossy(&stored).contains(secret.trim()), "the file holds hashes only");
    let id = list.lines().nth(1).unwrap().split_whitespace().next().unwrap();
    assert_eq!(channel_server(&["token", "revoke", "--database", database, id]).0, 0);
    let (code, _, stderr) = channel_server(&["token", "revoke", "--database", database, id]);
    assert!(code == 11 && stderr.contains("error[NotFound]") && stderr.contains("hint:"), "{code} {stderr}");
    let (code, whole, _) = channel_server(&["verify-events", "--database", database]);
    assert!(code == 0 && whole.contains("2 events"), "{whole}");
}

#[test]
fn wrong_tokens_are_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.db");
    let database = file.to_str().unwrap();
    for (args, code) in [
        (&["--name", "ada", "--role", "org-viewer"][..], "OrganizationMissing"),
        (&["--name", "<script>", "--role", "admin"], "BadName"),
        (&["--name", "", "--role", "admin"], "BadName"),
    ] {
        let (exit, _, stderr) =
            channel_server(&[&["token", "create", "--database", database], args].concat());
        assert!(exit == 2 && stderr.contains(&format!("error[{code}]")), "{stderr}");
    }
    assert!(!file.exists());
}

#[test]
fn serving_without_a_key_or_with_an_open_one_says_what_is_wrong() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("1.root.json"), "{}").unwrap();
    let serve = || {
        let (database, root, key) = (path("server.db"), path("1.root.json"), path("director.pem"));
        let args = [
            "serve",
            "--database",
            &database,
            "--root",
            &root,
            "--director-key",
            &key,
            "--catalog",
            "/nowhere",
            "--listen",
            "127.0.0.1:0",
        ];
        channel_server(&args)
    };
    let (code, _, stderr) = serve();
    assert!(code == 2 && stderr.contains("publisher key export"), "{stderr}");
    std::fs::write(path("director.pem"), "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n")
        .unwrap();
    std::fs::set_permissions(path("director.pem"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let (_, _, stderr) = serve();
    assert!(stderr.contains("chmod 600"), "{stderr}");
    std::fs::set_permissions(path("director.pem"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let (code, _, stderr) = serve();
    assert!(code == 4 && stderr.contains("not an Ed25519 key"), "{code} {stderr}");
}

#[test]
fn failures_are_objects_for_machines_and_codes_are_explained() {
    for (args, wanted, exit) in [
        (&["token", "list", "--database", "/nowhere/server.db"][..], None, 2),
        (&["token"], Some("BadArguments"), 2),
        (&["explain", "LogBehnid"], Some("UnknownCode"), 2),
        (&["verify-events", "--database", "x", "-o", "name"], Some("NoNames"), 2),
    ] {
        let json = if args.contains(&"-o") { &[][..] } else { &["-o", "json"][..] };
        let (code, stdout, stderr) = channel_server(&[args, json].concat());
        assert!(code == exit && stdout.is_empty(), "{args:?}: {stdout}{stderr}");
        let object: Option<serde_json::Value> =
            stderr.lines().last().and_then(|line| serde_json::from_str(line).ok());
        match (json.is_empty(), wanted) {
            (true, Some(wanted)) => assert!(stderr.contains(&format!("error[{wanted}]")), "{stderr}"),
            (_, wanted) => {
                let found = object.unwrap_or_else(|| panic!("{args:?}: {stderr}"))["error"]["code"].clone();
                assert!(wanted.is_none_or(|wanted| found == wanted), "{args:?}: {stderr}");
                let explained = channel_server(&["explain", found.as_str().unwrap()]);
                assert_eq!(explained.0, 0, "{found}");
            }
        }
    }
}

#[test]
fn ids_of_tokens_are_listed_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.db");
    let database = ["--database", file.to_str().unwrap()];
    for name in ["ada", "eve"] {
        channel_server(&[&["token", "create", "--name", name, "--role", "admin"][..], &database].concat());
    }
    let list = |format| channel_server(&[&["token", "list", "-o", format][..], &database].concat()).1;
    let json: serde_json::Value = serde_json::from_str(&list("json")).unwrap();
    let ids: Vec<_> = json.as_array().unwrap().iter().map(|token| token["id"].as_str().unwrap()).collect();
    assert_eq!(list("name").lines().collect::<Vec<_>>(), ids);
    assert_eq!(ids.len(), 2);
}

#[test]
fn shells_and_man_know_its_commands() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let (code, script, _) = channel_server(&["completions", shell]);
        assert!(code == 0 && script.contains("verify-events") && !script.contains("git-token"), "{shell}");
    }
    let (code, said, _) = channel_server(&["man", folder.path().to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    assert!(folder.path().join("channel-server-token-create.1").is_file());
    assert!(!folder.path().join("channel-server-reference.1").exists());
}
