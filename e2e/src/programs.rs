//! The built programs as processes.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};

/// Names another build of pdp-sync than the tests' own, such as the one that is shipped: its figures are measured.
const SHIPPED: &str = "PDP_E2E_PDP_SYNC";

/// A program of this project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The release engineers' tool.
    Publisher,
    /// Rings, rollouts, assignments.
    ChannelServer,
    /// The data plane's side.
    PdpSync,
    /// `kubectl pdp`.
    KubectlPdp,
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

    /// The code of the failure that it said it ends with, to people or (`-o json`) to machines; none if it said none.
    pub fn error(&self) -> Option<String> {
        let told = self.stderr.split("error[").nth(1).and_then(|rest| rest.split(']').next());
        let object = || {
            let last: serde_json::Value = serde_json::from_str(self.stderr.lines().last()?).ok()?;
            Some(last["error"]["code"].as_str()?.to_owned())
        };
        // Its cause may quote another one's words.
        object().or_else(|| told.map(str::to_owned))
    }
}

/// A process that ends with this value; its words go to files.
#[derive(Debug)]
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts `command`; stdout goes to `log`, stderr beside it (`.err`).
    ///
    /// # Errors
    /// When a file can't be made or the process can't be started.
    pub fn start(mut command: Command, log: PathBuf) -> Result<Self> {
        command.stdout(File::create(&log)?).stderr(File::create(log.with_extension("err"))?);
        crate::reaper::mark(&mut command)?;
        let child = command.spawn().with_context(|| format!("start {command:?}"))?;
        Ok(Self { child, log })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote on stdout so far.
    pub fn stdout(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What it wrote on stderr so far.
    pub fn stderr(&self) -> String {
        std::fs::read_to_string(self.log.with_extension("err")).unwrap_or_default()
    }

    /// How it ended (`exit status: 1`, `signal: 6 (SIGABRT)`); none while it runs.
    pub fn end(&mut self) -> Option<String> {
        self.child.try_wait().ok().flatten().map(|status| status.to_string())
    }

    /// Its exit code if it ended by itself; none while it runs, or if a signal ended it.
    pub fn code(&mut self) -> Option<i32> {
        self.child.try_wait().ok().flatten().and_then(|status| status.code())
    }

    /// `kill -TERM`, then waits for the end; its exit code.
    ///
    /// # Errors
    /// When it doesn't end within 30 seconds.
    pub fn terminate(&mut self) -> Result<Option<i32>> {
        self.stop("TERM")
    }

    /// Sends a signal, then waits for the end; the exit code.
    pub(crate) fn stop(&mut self, signal: &str) -> Result<Option<i32>> {
        let signal = format!("-{signal}");
        let status = Command::new("kill").args([&signal, &self.child.id().to_string()]).status()?;
        anyhow::ensure!(status.success(), "kill");
        let mut code = None;
        crate::wait_for("the process to end", || match self.child.try_wait() {
            Ok(Some(status)) => {
                code = status.code();
                true
            }
            _ => false,
        })?;
        Ok(code)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
            Self::ChannelServer => "channel-server",
            Self::PdpSync => "pdp-sync",
            Self::KubectlPdp => "kubectl-pdp",
        }
    }

    /// A command that runs it; it is built first if need be, so that a plain `cargo test` suffices.
    ///
    /// # Errors
    /// When it doesn't build.
    pub fn command(self) -> Result<Command> {
        let shipped = std::env::var_os(SHIPPED).filter(|_| self == Self::PdpSync);
        let program =
            shipped.map_or_else(|| folder().map(|it| it.join(self.name())), |path| Ok(path.into()))?;
        Ok(program_at(&program))
    }
}

/// A program that was built somewhere else: with nothing of the caller's environment.
pub fn program_at(path: &std::path::Path) -> Command {
    let mut command = Command::new(path);
    forget_environment(&mut command);
    command.stdin(Stdio::null());
    command
}

/// A port that is free now, for a process that keeps it over restarts: below the range from which Linux takes
/// ports for outgoing connections, or a client could sit on it while the process is away; each only once.
pub(crate) fn free_port() -> Result<u16> {
    const PORTS: std::ops::Range<u32> = 20_000..32_000;
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let many = PORTS.end - PORTS.start;
    // Test processes that run side by side start at different places.
    let first = std::process::id().wrapping_mul(131) % many;
    for _ in 0..many {
        let next = (first + TAKEN.fetch_add(1, Ordering::Relaxed)) % many;
        let port = u16::try_from(PORTS.start + next)?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free between {} and {}", PORTS.start, PORTS.end)
}

/// Takes out what the caller's environment would change: the variables of Git and PostgreSQL, proxies, logins, our
/// settings.
pub(crate) fn forget_environment(command: &mut Command) {
    const PREFIXES: [&str; 8] =
        ["GIT_", "PDP_", "PUBLISHER_", "CHANNEL_SERVER_", "DOCKER_", "SSL_CERT_", "REGISTRY_", "PG"];
    const NAMES: [&str; 4] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];
    for name in std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()) {
        let upper = name.to_uppercase();
        if PREFIXES.iter().any(|prefix| upper.starts_with(prefix)) || NAMES.contains(&upper.as_str()) {
            command.env_remove(name);
        }
    }
}

/// Builds all programs once per process and says where they lie.
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
