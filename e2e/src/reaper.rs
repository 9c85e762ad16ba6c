//! Nothing outlives a test process, however it ends: return, panic, Ctrl-C or `kill -9`.
//!
//! A shell in a process group of its own waits for the end of a pipe that this process alone holds. Then it
//! kills every process that carries this run's mark in its environment, and removes the folders it was told.
//! Neither a destructor nor a death signal does as much: the first needs a process that ends in order, the
//! second fires when the thread that started a child ends, and tests are threads.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result};

/// The mark of a run; children inherit it, so that a child's children are found too.
const MARK: &str = "E2E_RUN";

const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
run=$1; shift
while IFS= read -r folder; do set -- "$@" "$folder"; done
# Processes come and go, so that grep always finds something wrong: its words count, not its status.
while marked=$(grep -slzxF "E2E_RUN=$run" /proc/[0-9]*/environ); [ -n "$marked" ]; do
    for file in $marked; do pid=${file#/proc/}; kill -KILL "${pid%/environ}" 2>/dev/null; done
    sleep 0.05
done
[ $# -eq 0 ] || rm -rf -- "$@"
"#;

struct Reaper {
    run: String,
    pipe: Mutex<ChildStdin>,
}

/// Marks a command: what it starts ends with this process.
pub(crate) fn mark(command: &mut Command) -> Result<()> {
    command.env(MARK, &reaper()?.run);
    Ok(())
}

/// A folder that goes with the value, and at the latest with this process.
pub(crate) fn folder(prefix: &str) -> Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new().prefix(prefix).tempdir()?;
    let mut pipe = reaper()?.pipe.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(pipe, "{}", folder.path().display()).context("tell the reaper of a folder")?;
    Ok(folder)
}

/// Removes a folder of this process's own that is no longer of use.
pub(crate) fn clear(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("clear {}", folder.display()))
        }
        _ => Ok(std::fs::create_dir_all(folder)?),
    }
}

fn reaper() -> Result<&'static Reaper> {
    static REAPER: OnceLock<Result<Reaper, String>> = OnceLock::new();
    let reaper = REAPER.get_or_init(|| start().map_err(|error| format!("{error:#}")));
    reaper.as_ref().map_err(|error| anyhow::Error::msg(error.clone()))
}

fn start() -> Result<Reaper> {
    let run = format!("{}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond());
    let mut command = Command::new("sh");
    // Without a mark of its own, or of a run that this process itself belongs to.
    command.args(["-c", SCRIPT, "reaper", &run]).env_remove(MARK);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // Ctrl-C goes to the whole group of the terminal: this one has to survive it.
    let mut child = command.process_group(0).spawn().context("start the shell that cleans up")?;
    let pipe = child.stdin.take().context("the reaper's pipe")?;
    Ok(Reaper { run, pipe: Mutex::new(pipe) })
}
