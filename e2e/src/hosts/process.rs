//! Starting a server and waiting until it listens.

use std::net::{IpAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

use crate::programs::{Running, forget_environment};
use crate::tools::Tools;
use crate::wait_for;

/// The tools, built once.
///
/// # Panics
/// When one doesn't build.
#[expect(clippy::unwrap_used, reason = "only tests come here, and none can go on without")]
pub fn tools() -> Tools {
    static TOOLS: OnceLock<Tools> = OnceLock::new();
    TOOLS.get_or_init(|| Tools::for_hosts().unwrap()).clone()
}

/// The version of the module that is built in a folder below `e2e/tools`.
///
/// # Errors
/// When there is none.
pub fn version(folder: &str) -> Result<String> {
    Tools::version(folder)
}

/// A command that runs an installed program, deaf to the caller's environment.
pub(super) fn installed(program: &str) -> Command {
    let mut command = Command::new(program);
    forget_environment(&mut command);
    // Where Debian puts servers.
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin")).stdin(Stdio::null());
    command
}

/// Starts a server and waits until it takes connections.
pub(super) fn serve(command: Command, folder: &Path, ip: IpAddr, port: u16) -> Result<Running> {
    let log = folder.join("server.log");
    let name = command.get_program().to_string_lossy().into_owned();
    let mut running = Running::start(command, log)?;
    let mut end = None;
    let listening = wait_for(&format!("{name} to listen"), || {
        end = running.end();
        end.is_some() || TcpStream::connect((ip, port)).is_ok()
    });
    let words = || format!("{}{}", running.stdout(), running.stderr());
    match end {
        Some(end) => bail!("{name} ended with {end}:\n{}", words()),
        None => listening.with_context(words).map(|()| running),
    }
}

/// Runs a command to its end, which must be good; its stdout.
pub(super) fn must(mut command: Command) -> Result<String> {
    let output = command.output().with_context(|| format!("run {command:?}"))?;
    let [out, err] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    if !output.status.success() {
        bail!("{command:?}: {}\n{out}{err}", output.status);
    }
    Ok(out)
}
