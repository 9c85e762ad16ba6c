//! pdp-sync as it was at a commit of this repository, built as it is shipped: what figures are compared with.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// "Today" in the figures that were asked for.
pub(crate) const BEFORE: &str = "55b220a";

/// Builds it once, in `target/bench`.
pub(crate) fn pdp_sync() -> Result<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let folder = repository.join("target/bench").join(BEFORE);
    let program = folder.join("target/dist/pdp-sync");
    if program.exists() {
        return Ok(program);
    }
    eprintln!("◎ building pdp-sync of {BEFORE}, once");
    let source = folder.join("source");
    std::fs::create_dir_all(&source)?;
    let mut archive = Command::new("git")
        .current_dir(&repository)
        .args(["archive", BEFORE])
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = archive.stdout.take().context("stdout")?;
    let unpacked = Command::new("tar").current_dir(&source).args(["-x"]).stdin(stdout).status()?;
    ensure!(archive.wait()?.success() && unpacked.success(), "{BEFORE} isn't in this repository");
    let args = ["build", "--quiet", "--locked", "--profile", "dist", "-p", "pdp-sync", "--bin", "pdp-sync"];
    let mut build = Command::new("cargo");
    build.current_dir(&source).args(args).arg("--target-dir").arg(folder.join("target"));
    ensure!(build.status()?.success(), "{BEFORE} doesn't build");
    Ok(program)
}
