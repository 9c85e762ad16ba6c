//! The command line as its users meet it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod build;
mod charts;
mod errors;
mod init;
mod lint;
mod lint_ci;
mod lint_line;
mod reference;
mod simulate;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The committed fixtures.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

/// Exit code, stdout, stderr.
fn publisher(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_publisher"))
        .args(args)
        .env("PUBLISHER_PASSWORD", "test keys only")
        .env_remove("GITHUB_ACTIONS")
        .env_remove("TF_BUILD")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}
