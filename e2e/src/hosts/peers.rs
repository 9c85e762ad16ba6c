//! Programs of other people that aren't Go modules: built or installed once, cached by the hash of what pins them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::process::{installed, must};
use crate::tools::{Tools, cached, source};

/// The Maven plugin that fetches what `pom.xml` pins.
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// A TUF client that reads a catalog in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TufClient {
    /// python-tuf.
    Python,
    /// go-tuf.
    Go,
    /// tough.
    Tough,
}

impl TufClient {
    /// Its name and version.
    ///
    /// # Errors
    /// When nothing pins it.
    pub fn version(self) -> Result<String> {
        match self {
            Self::Python => {
                pinned("python-tuf/requirements.txt", "tuf==").map(|it| format!("python-tuf {it}"))
            }
            Self::Go => pinned("go-tuf/go.mod", "require github.com/theupdateframework/go-tuf/v2 v")
                .map(|it| format!("go-tuf {it}")),
            Self::Tough => {
                pinned("tough/Cargo.toml", "tough = { version = \"=").map(|it| format!("tough {it}"))
            }
        }
    }

    /// A command that reads `catalog` and knows `root` alone; it prints `<sha256> <target>` lines. python-tuf and go-tuf
    /// judge expiry at `PDP_NOW` (RFC 3339), if that is set; tough knows no time but the machine's.
    ///
    /// # Errors
    /// When it can't be installed.
    pub fn command(self, root: &Path, catalog: &Path) -> Result<Command> {
        let mut command = match self {
            Self::Python => {
                let mut command = installed(&python()?.to_string_lossy());
                command.arg(source("python-tuf").join("read.py"));
                command
            }
            Self::Go => Tools::for_catalogs()?.command("go-tuf"),
            Self::Tough => installed(&tough()?.to_string_lossy()),
        };
        command.arg(root).arg(catalog);
        Ok(command)
    }
}

/// JGit's HTTP server: its class path.
pub(super) fn jgit() -> Result<String> {
    let folder = cached("jgit", |folder| {
        let pom = source("jgit").join("pom.xml");
        let mut maven = installed("mvn");
        maven.args(["-q", "-B", "-f"]).arg(pom).arg(COPY);
        maven.arg(format!("-DoutputDirectory={}", folder.join("lib").display()));
        must(maven)?;
        let mut compiler = installed("javac");
        compiler.arg("-cp").arg(folder.join("lib/*")).arg("-d").arg(folder);
        compiler.arg(source("jgit").join("JGitHost.java"));
        must(compiler).map(|_| ())
    })?;
    Ok(format!("{}:{}/lib/*", folder.display(), folder.display()))
}

/// JGit's version.
///
/// # Errors
/// When nothing pins it.
pub fn jgit_version() -> Result<String> {
    let version = pinned("jgit/pom.xml", "org.eclipse.jgit.http.server</artifactId>\n      <version>")?;
    Ok(version.split(".2").next().unwrap_or(&version).to_owned())
}

fn python() -> Result<PathBuf> {
    let folder = cached("python-tuf", |folder| {
        let mut venv = installed("python3");
        venv.args(["-m", "venv"]).arg(folder);
        must(venv)?;
        let mut pip = installed(&folder.join("bin/pip").to_string_lossy());
        pip.args(["install", "-q", "--disable-pip-version-check", "--require-hashes", "-r"]);
        pip.arg(source("python-tuf").join("requirements.txt"));
        must(pip).map(|_| ())
    })?;
    Ok(folder.join("bin/python"))
}

fn tough() -> Result<PathBuf> {
    let folder = cached("tough", |folder| {
        let mut cargo = installed(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
        cargo
            .args(["build", "--quiet", "--locked", "--manifest-path"])
            .arg(source("tough").join("Cargo.toml"));
        cargo.arg("--target-dir").arg(folder);
        must(cargo).map(|_| ())
    })?;
    Ok(folder.join("debug/read-with-tough"))
}

/// What follows `before` in a file below `e2e/tools`, up to a blank, a quote or a tag.
fn pinned(file: &str, before: &str) -> Result<String> {
    let path = source(file);
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let (_, after) = text.split_once(before).with_context(|| format!("no `{before}` in {file}"))?;
    Ok(after.split([' ', '"', '<', '\n']).next().unwrap_or_default().to_owned())
}
