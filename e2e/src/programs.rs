//! The built programs as processes.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

/// A program of this project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The release engineers' tool.
    Publisher,
    /// The data plane's side.
    PdpSync,
}

/// What a process left behind.
#[derive(Debug)]
pub struct Finished {
    /// Exit code, none if a signal ended it.
    pub code: Option<i32>,
    /// Data.
    pub stdout: String,
    /// Words.
    pub stderr: String,
}

impl Finished {
    /// True for exit code 0.
    pub fn ok(&self) -> bool {
        self.code == Some(0)
    }
}

/// A process that ends with this value.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Takes over a child.
    pub fn new(child: Child) -> Self {
        Self(child)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Program {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Publisher => "publisher",
            Self::PdpSync => "pdp-sync",
        }
    }

    /// A command that runs it; it is built first if need be, so that a plain `cargo test` suffices.
    ///
    /// # Errors
    /// When it doesn't build.
    pub fn command(self) -> Result<Command> {
        let mut command = Command::new(folder()?.join(self.name()));
        command.stdin(Stdio::null());
        Ok(command)
    }
}

/// Builds both programs once per process and says where they lie.
fn folder() -> Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    built.clone().map_err(anyhow::Error::msg)
}

fn build() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    command.args(["build", "--quiet", "--locked", "--workspace", "--bins"]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    command.args(["--message-format", "json"]).stderr(Stdio::inherit());
    let output = command.output().context("run cargo")?;
    if !output.status.success() {
        bail!("the programs don't build");
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    let executables = stdout.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    let found = executables
        .into_iter()
        .find(|path| path.ends_with("publisher"))
        .context("cargo built no publisher")?;
    Ok(found.parent().context("a program has a folder")?.to_owned())
}
