//! One clear error with what, where, cause and hint; documented exit codes; no half state.

use crate::publisher;

#[test]
fn ceremony_never_overwrites_keys() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let (code, _, stderr) = publisher(&["key", "ceremony", "--out", out, "--line", "pdp-2026"]);
    assert!(code == 2 && stderr.starts_with("error[Exists]:") && stderr.contains("hint:"), "{stderr}");
}

#[test]
fn a_wrong_password_is_said_and_nothing_is_signed() {
    let folder = tempfile::tempdir().unwrap();
    let vendor = folder.path().join("vendor");
    let (code, ..) = publisher(&["key", "ceremony", "--out", vendor.to_str().unwrap(), "--line", "pdp-2026"]);
    assert_eq!(code, 0);
    let built = folder.path().join("built");
    let release = crate::fixtures().join("pdp-2026/42/release.yaml");
    publisher(&["release", "build", release.to_str().unwrap(), "--out", built.to_str().unwrap()]);
    let password = folder.path().join("password");
    std::fs::write(&password, "wrong").unwrap();
    let before = std::fs::read(built.join("index.json")).unwrap();
    let key = vendor.join("keys/artifact.key");
    let (code, _, stderr) = publisher(&[
        "release",
        "sign",
        built.to_str().unwrap(),
        "--key",
        key.to_str().unwrap(),
        "--password-file",
        password.to_str().unwrap(),
    ]);
    assert!(code == 4 && stderr.starts_with("error[BadCredentials]:"), "{code} {stderr}");
    assert_eq!(std::fs::read(built.join("index.json")).unwrap(), before);
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&key).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "private keys are for their owner alone");
}

#[test]
fn a_missing_file_and_a_missing_layout_are_named() {
    for args in [
        &["release", "lint", "/nowhere/release.yaml"][..],
        &["release", "sign", "/nowhere", "--key", "/nowhere"],
    ] {
        let (code, _, stderr) = publisher(args);
        assert!(code == 2 && stderr.contains("error[NotFound]") && stderr.contains("/nowhere"), "{stderr}");
    }
}

/// Every command that reads what people wrote.
const READERS: [&[&str]; 4] = [
    &["release", "lint"],
    &["rollout", "simulate"],
    &["rollout", "simulate", FLEET, "--plan"],
    &[
        "channel",
        "plan",
        "--line",
        "pdp-2026",
        "--catalog",
        "/nowhere",
        "--root",
        "/nowhere",
        "--key",
        "/nowhere",
        "--file",
    ],
];
const FLEET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/rollouts/fleet.yaml");

#[test]
fn all_readers_of_hand_written_files_refuse_the_same_with_the_same_code() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.yaml");
    let table: [(&[u8], i32, &[&str]); 5] = [
        (b"rings: []\ntempos: {}\nrigns: []\nrings: []\n", 1, &["BadYaml", "4:1"]),
        (b"level: [\n", 1, &["BadYaml"]),
        (b"\xff\xfe: 1\n", 1, &["BadYaml", "byte 0 is not UTF-8"]),
        (&[b'#'; 1024 * 1024 + 1], 2, &["TooLarge"]),
        (b"", -1, &["NotFound", "no file"]),
    ];
    for (content, code, words) in table {
        std::fs::write(&file, content).unwrap();
        if code < 0 {
            std::fs::remove_file(&file).unwrap();
        }
        for reader in READERS {
            let (got, out, error) = publisher(&[reader, &[file.to_str().unwrap()]].concat());
            let said = format!("{out}{error}");
            assert_eq!(got, if code < 0 { 2 } else { code }, "{reader:?}: {said}");
            for word in words.iter().chain(&[file.to_str().unwrap()]) {
                assert!(said.contains(word), "{reader:?}: {word} in {said}");
            }
        }
    }
}

#[test]
fn a_full_disk_is_said_and_leaves_no_descriptor() {
    let release = crate::fixtures().join("pdp-2026/42/release.yaml");
    // /dev/full can't hold folders; a file-size limit makes every write fail the same way.
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "ulimit -f 0; trap '' XFSZ; {} release build {} --out {}",
        env!("CARGO_BIN_EXE_publisher"),
        release.display(),
        folder.path().join("out").display()
    );
    let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && stderr.contains("error["), "{stderr}");
    assert!(!folder.path().join("out/release-pdp-2026-42.json").exists());
}

#[test]
fn exit_codes_are_printed() {
    let (code, stdout, _) = publisher(&["exit-codes"]);
    assert!(code == 0 && stdout.contains(" 13  verification: too few signatures"), "{stdout}");
}
