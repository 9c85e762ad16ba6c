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
