//! `pdp-sync controller` as a process beside the cluster, which can be killed at any moment and started again.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::control_plane::Cluster;
use super::local;
use super::notifications::Notifications;
use super::processes::last_lines;
use super::usage::Usage;
use crate::programs::{Program, Running, free_port, program_at};
use crate::wait_at_most;

/// How long a test waits for the controller; a level takes seconds, a failing one its deadlines.
const PATIENCE: Duration = Duration::from_secs(600);
/// So much of the log is shown when a test waited in vain.
const SHOWN_LINES: usize = 40;

/// The controller of one namespace. It ends with this value.
#[derive(Debug)]
pub struct PdpSync {
    /// The namespace that it watches.
    pub namespace: String,
    /// Where its events for Flux's notification-controller go.
    pub notifications: Notifications,
    kubeconfig: PathBuf,
    /// Another pdp-sync than the one that is tested.
    program: Mutex<Option<PathBuf>>,
    metrics: u16,
    health: u16,
    folder: tempfile::TempDir,
    running: Mutex<Option<Running>>,
    /// Logs of the processes that ended.
    past: Mutex<String>,
}

impl Cluster {
    /// Starts the controller for a namespace, with further environment variables. Doesn't wait until it is ready.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start_pdp_sync(
        &self,
        namespace: &str,
        kubeconfig: &Path,
        env: &[(&str, &str)],
    ) -> Result<PdpSync> {
        let controller = PdpSync {
            namespace: namespace.to_owned(),
            notifications: Notifications::start()?,
            kubeconfig: kubeconfig.to_owned(),
            program: Mutex::default(),
            metrics: free_port()?,
            health: free_port()?,
            folder: crate::reaper::folder("pdp-sync-")?,
            running: Mutex::new(None),
            past: Mutex::default(),
        };
        controller.start(env)?;
        Ok(controller)
    }
}

impl PdpSync {
    /// Starts it, or another one after `kill -9`: same ports, same cache, no other environment than `env`.
    /// `PDP_FAULT=<point>` lets it die at that point.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(&self, env: &[(&str, &str)]) -> Result<()> {
        self.kill();
        let other = self.program.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut command = other.map_or_else(|| Program::PdpSync.command(), |path| Ok(program_at(&path)))?;
        command.args(["controller", "--namespace", &self.namespace]);
        command.args(["--metrics-addr", &format!("127.0.0.1:{}", self.metrics)]);
        command.args(["--health-addr", &format!("127.0.0.1:{}", self.health)]);
        command.args(["--events-addr", &self.notifications.url()]);
        command.arg("--cache").arg(self.folder.path().join("cache"));
        command.env("KUBECONFIG", &self.kubeconfig).env("RUST_LOG", "info,pdp_sync=debug");
        command.env("HOME", self.folder.path()).current_dir(self.folder.path());
        command.envs(env.iter().copied());
        let running = Running::start(command, self.folder.path().join("pdp-sync.log"))?;
        *self.running() = Some(running);
        Ok(())
    }

    /// Starts a pdp-sync that was built somewhere else in its place, or none: the one that is tested.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn replace(&self, program: Option<&Path>) -> Result<()> {
        *self.program.lock().unwrap_or_else(PoisonError::into_inner) = program.map(Path::to_owned);
        self.start(&[])
    }

    /// Waits until `/readyz` says yes.
    ///
    /// # Errors
    /// When it doesn't, or when the process ended.
    pub fn ready(&self) -> Result<()> {
        let url = format!("http://127.0.0.1:{}/readyz", self.health);
        self.wait("pdp-sync to be ready", || local::is_ok(&url))
            .with_context(|| format!("/readyz: {:?}", local::get(&url)))
    }

    /// `kill -9`; true if it ran.
    pub fn kill(&self) -> bool {
        let mut running = self.running();
        let Some(process) = running.take() else { return false };
        self.remember(&process);
        drop(process);
        true
    }

    /// `kill -TERM`; its exit code.
    ///
    /// # Errors
    /// When it doesn't end within 30 seconds.
    pub fn terminate(&self) -> Result<Option<i32>> {
        let mut process = self.running().take().context("pdp-sync doesn't run")?;
        let code = process.terminate();
        self.remember(&process);
        code
    }

    /// Waits until it died by itself, as at a fault point, and says how.
    ///
    /// # Errors
    /// When it goes on living.
    pub fn died(&self) -> Result<String> {
        let mut end = None;
        wait_at_most(PATIENCE, "pdp-sync to die", || {
            end = self.end();
            end.is_some()
        })
        .with_context(|| self.last_words())?;
        self.kill();
        end.context("it died")
    }

    /// Waits for something; when in vain, shows the end of the log.
    ///
    /// # Errors
    /// When it doesn't come true, or when the process died.
    pub fn wait(&self, what: &str, mut condition: impl FnMut() -> bool) -> Result<()> {
        let mut end = None;
        let waited = wait_at_most(PATIENCE, what, || {
            let come = condition();
            end = if come { None } else { self.end() };
            come || end.is_some()
        });
        match end {
            Some(end) => bail!("waiting for {what}: pdp-sync ended with {end}\n{}", self.last_words()),
            None => waited.with_context(|| self.last_words()),
        }
    }

    /// Its process id.
    ///
    /// # Errors
    /// When it doesn't run.
    pub fn pid(&self) -> Result<u32> {
        Ok(self.running().as_ref().context("pdp-sync doesn't run")?.id())
    }

    /// What it costs.
    ///
    /// # Errors
    /// When it doesn't run.
    pub fn usage(&self) -> Result<Usage> {
        Usage::of(self.pid()?)
    }

    /// Its Prometheus metrics.
    ///
    /// # Errors
    /// When it doesn't answer.
    pub fn metrics(&self) -> Result<String> {
        let (code, text) = local::get(&format!("http://127.0.0.1:{}/metrics", self.metrics))?;
        ensure!(code == 200, "/metrics answers {code}");
        Ok(text)
    }

    /// How many passes this process has made.
    ///
    /// # Errors
    /// When it doesn't answer, or has made none.
    pub fn passes(&self) -> Result<f64> {
        let metrics = self.metrics()?;
        let mut counts =
            metrics.lines().filter(|line| line.starts_with("gotk_reconcile_duration_seconds_count"));
        let number = counts.next().and_then(|line| line.rsplit(' ').next()).context("no count of passes")?;
        Ok(number.parse()?)
    }

    /// Everything that it wrote, over all its lives.
    pub fn log(&self) -> String {
        let now = self.running().as_ref().map(|process| process.stdout() + &process.stderr());
        self.past().clone() + &now.unwrap_or_default()
    }

    /// The end of it.
    pub fn last_words(&self) -> String {
        format!("pdp-sync in {}, last lines:\n{}", self.namespace, last_lines(&self.log(), SHOWN_LINES))
    }

    /// Forgets its Git caches, as a new pod does. Kill it first.
    ///
    /// # Errors
    /// When the folder can't be emptied.
    pub fn forget_cache(&self) -> Result<()> {
        crate::reaper::clear(&self.folder.path().join("cache"))
    }

    fn end(&self) -> Option<String> {
        self.running().as_mut().and_then(Running::end)
    }

    fn remember(&self, process: &Running) {
        self.past().push_str(&(process.stdout() + &process.stderr() + "-- end of this process --\n"));
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn past(&self) -> MutexGuard<'_, String> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
