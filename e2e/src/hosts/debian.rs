//! Which version of a Debian package is installed.

use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The authors' version of an installed package: without Debian's own, which changes with every security update.
///
/// # Errors
/// When it isn't installed.
pub fn debian_version(package: &str) -> Result<String> {
    let output = Command::new("dpkg-query").args(["-W", "-f", "${Version}", package]).output()?;
    ensure!(output.status.success(), "{package} isn't installed: `tools/setup hosts` installs it");
    let version = String::from_utf8(output.stdout)?;
    let version = version.rsplit_once('-').map_or(version.as_str(), |(authors, _)| authors);
    let version = version.split_once(':').map_or(version, |(_, after)| after);
    Ok(version.split('+').next().context("a version")?.to_owned())
}
