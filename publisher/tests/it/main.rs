//! The command line as its users meet it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod advisories;
mod build;
mod charts;
mod ci_log;
mod doctor;
mod dry_run;
mod errors;
mod explain;
mod failures;
mod formats;
mod init;
mod lint;
mod lint_ci;
mod lint_line;
mod prompts;
mod reference;
mod shell;
mod simulate;
mod vendor;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The committed fixtures.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

/// Exit code, stdout, stderr.
fn publisher(args: &[&str]) -> (i32, String, String) {
    run(command(args).env("PUBLISHER_PASSWORD", "test keys only"))
}

/// The same without a password or a token.
fn bare(args: &[&str]) -> (i32, String, String) {
    run(&mut command(args))
}

/// Nobody is at a terminal.
fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_publisher"));
    command.args(args).stdin(Stdio::null());
    for name in ["GITHUB_ACTIONS", "TF_BUILD", "PUBLISHER_PASSWORD", "PUBLISHER_TOKEN", "PUBLISHER_SERVER"] {
        command.env_remove(name);
    }
    command
}

fn run(command: &mut Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}
