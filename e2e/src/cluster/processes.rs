//! The running parts of a cluster: which died, and which were stopped on purpose.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

use super::part::{Part, Site};
use crate::programs::Running;
use crate::tools::Tools;
use crate::wait_at_most;

/// A control plane is up in seconds; a loaded machine takes longer.
const UP: Duration = Duration::from_secs(120);

/// The parts that run; what isn't in here was never started, or was stopped on purpose.
#[derive(Debug)]
pub(super) struct Processes {
    running: Mutex<BTreeMap<Part, Running>>,
    logs: PathBuf,
}

impl Processes {
    pub(super) fn new(logs: &Path) -> Result<Self> {
        std::fs::create_dir_all(logs)?;
        Ok(Self { running: Mutex::default(), logs: logs.to_owned() })
    }

    pub(super) fn start(&self, tools: &Tools, site: &Site, part: Part) -> Result<()> {
        let log = self.logs.join(format!("{}.log", part.name()));
        let running = Running::start(site.command(tools, part), log)?;
        self.lock().insert(part, running);
        Ok(())
    }

    /// `kill -9`
    pub(super) fn stop(&self, part: Part) {
        self.lock().remove(&part);
    }

    /// `kill -15`, and its end.
    pub(super) fn terminate(&self, part: Part) -> Result<()> {
        let Some(mut ending) = self.lock().remove(&part) else { return Ok(()) };
        ending.terminate().with_context(|| part.name())?;
        Ok(())
    }

    pub(super) fn pid(&self, part: Part) -> Option<u32> {
        self.lock().get(&part).map(Running::id)
    }

    /// The last lines of a part's log.
    pub(super) fn log(&self, part: Part, lines: usize) -> String {
        let words = self.lock().get(&part).map(|running| running.stdout() + &running.stderr());
        last_lines(&words.unwrap_or_default(), lines)
    }

    /// Waits; a part that ended by itself fails the run at once, with its last words.
    pub(super) fn wait(&self, what: &str, mut condition: impl FnMut() -> bool) -> Result<()> {
        let mut dead = None;
        let waited = wait_at_most(UP, what, || {
            dead = self.dead();
            dead.is_some() || condition()
        });
        match dead {
            Some((part, end)) => {
                Err(anyhow::anyhow!("{} ended with {end}:\n{}", part.name(), self.log(part, 20)))
                    .with_context(|| format!("waiting for {what}"))
            }
            None => waited,
        }
    }

    fn dead(&self) -> Option<(Part, String)> {
        self.lock().iter_mut().find_map(|(part, running)| running.end().map(|end| (*part, end)))
    }

    /// The one started last goes first.
    pub(super) fn stop_all(&self) {
        let mut running = self.lock();
        while let Some((_, process)) = running.pop_last() {
            drop(process);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Part, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of a text.
pub(super) fn last_lines(text: &str, many: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    let from = lines.len().saturating_sub(many);
    lines.get(from..).unwrap_or_default().join("\n")
}
