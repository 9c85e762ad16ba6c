//! The real `helm template`, kept apart: no network, no home, no cluster, no plugins; bounded time, memory and output.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use pdp_policies::Digest;
use pdp_transport::cli::failure::{Failure, Result, internal};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::pinned_helm;

/// Flux's helm-controller renders with this major version.
const MAJOR: &str = "v4.";
/// One rendering may take so long.
const TIME: Duration = Duration::from_secs(60);
/// Address space of the program (KiB); Go reserves more than it uses.
const MEMORY_KIB: u32 = 6 * 1024 * 1024;
/// CPU seconds, should the program not heed its end.
const CPU_SECONDS: u32 = 120;
/// More than this isn't rendered by any real chart (bytes).
const MAX_OUTPUT: u64 = 32 * 1024 * 1024;
/// Its complaints are shown up to here (bytes).
const MAX_WORDS: u64 = 64 * 1024;

/// A `helm` program whose version was looked at.
#[derive(Debug, Clone)]
pub(crate) struct Helm {
    program: PathBuf,
    pub(crate) version: String,
}

/// One rendering.
#[derive(Debug, Clone)]
pub(crate) struct Rendering<'a> {
    pub(crate) chart: &'a Path,
    pub(crate) release_name: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) kubernetes: &'a str,
    pub(crate) api_versions: &'a BTreeSet<String>,
    /// Files of values; the last one wins.
    pub(crate) values: &'a [PathBuf],
    /// As at an upgrade, else as at an installation.
    pub(crate) upgrade: bool,
}

impl Helm {
    /// `pinned` is the SHA-256 that the program has to have, if one was agreed on; nothing of another one is run.
    ///
    /// # Errors
    /// `HelmMissing` if it doesn't start, `HelmChanged` if it is another program than agreed on, `HelmVersion` for another
    /// major version than Flux's.
    pub(crate) async fn open(program: &Path, pinned: Option<&Digest>) -> Result<Self> {
        let program = pinned_helm::located(program, std::env::var_os("PATH").as_deref());
        pinned.map_or(Ok(()), |pinned| pinned_helm::check(&program, pinned))?;
        let mut helm = Self { program, version: String::new() };
        let home = tempfile::tempdir().map_err(internal)?;
        let args = ["version", "--template", "{{.Version}}"].map(str::to_owned);
        helm.version = helm.run(home.path(), &args).await?.trim().to_owned();
        if !helm.version.starts_with(MAJOR) {
            let what = format!(
                "{} says that it is {}",
                helm.program.display(),
                pdp_policies::printable(&helm.version)
            );
            return Err(Failure::new("HelmVersion", what)
                .hint("Flux renders with Helm 4: give a helm of that version"));
        }
        Ok(helm)
    }

    /// The manifests, hooks included.
    ///
    /// # Errors
    /// `ChartRefused` with Helm's own words, `ChartTooSlow`, `ChartTooLarge`.
    pub(crate) async fn render(&self, of: &Rendering<'_>) -> Result<String> {
        let home = tempfile::tempdir().map_err(internal)?;
        self.run(home.path(), &arguments(of)).await
    }

    async fn run(&self, home: &Path, args: &[String]) -> Result<String> {
        let mut child = self.command(home, args).spawn().map_err(|e| missing(&self.program, &e))?;
        let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(internal("a program without pipes"));
        };
        let all = async {
            let (out, words) = tokio::join!(read(out, MAX_OUTPUT), read(err, MAX_WORDS));
            if out.len() as u64 > MAX_OUTPUT {
                return Err(too_large());
            }
            Ok((child.wait().await.map_err(internal)?, out, words))
        };
        // Whoever is dropped here is killed.
        let (status, out, words) = tokio::time::timeout(TIME, all).await.map_err(|_| too_slow())??;
        if status.success() {
            return String::from_utf8(out).map_err(|_| refused("what it prints isn't UTF-8"));
        }
        Err(self.words(&String::from_utf8_lossy(&words), status.code()))
    }

    /// A shell sets the limits, then is replaced by the program.
    fn command(&self, home: &Path, args: &[String]) -> Command {
        let limits = format!("ulimit -v {MEMORY_KIB} && ulimit -t {CPU_SECONDS} && exec \"$0\" \"$@\"");
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(limits).arg(&self.program).args(args).env_clear().current_dir(home);
        for name in
            ["HOME", "TMPDIR", "HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_PLUGINS"]
        {
            command.env(name, home);
        }
        // Helm asks nobody while it renders; should a version do, it meets a closed door.
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env(name, "http://127.0.0.1:9");
        }
        command.env("KUBECONFIG", "/dev/null").env("GOMEMLIMIT", "1GiB");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    fn words(&self, words: &str, code: Option<i32>) -> Failure {
        if code.is_some_and(|code| matches!(code, 126 | 127)) {
            return missing(&self.program, &pdp_policies::printable(words.trim()));
        }
        let words = words
            .trim()
            .trim_start_matches("Error: ")
            .replace("\n\nUse --debug flag to render out invalid YAML", "");
        let words = if words.is_empty() { "it ended without a word: out of memory or time?" } else { &words };
        refused(words)
    }
}

fn arguments(of: &Rendering<'_>) -> Vec<String> {
    let mut args: Vec<String> = ["template", of.release_name].map(str::to_owned).into();
    args.push(of.chart.display().to_string());
    let fixed =
        ["--namespace", of.namespace, "--kube-version", of.kubernetes, "--include-crds", "--skip-tests"];
    args.extend(fixed.map(str::to_owned));
    args.extend(of.api_versions.iter().flat_map(|version| ["--api-versions".to_owned(), version.clone()]));
    args.extend(of.values.iter().flat_map(|file| ["--values".to_owned(), file.display().to_string()]));
    if of.upgrade {
        args.push("--is-upgrade".to_owned());
    }
    args
}

/// All of a pipe, or one byte more than `max`.
async fn read(pipe: impl AsyncRead + Unpin, max: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A broken pipe ends the text; the exit code tells.
    let _ = pipe.take(max + 1).read_to_end(&mut bytes).await;
    bytes
}

pub(super) fn missing(program: &Path, cause: &impl ToString) -> Failure {
    Failure::new("HelmMissing", format!("{} can't be run", program.display()))
        .cause(cause.to_string())
        .hint("give the path of a Helm 4 program with --helm or PUBLISHER_HELM")
}

fn refused(words: &str) -> Failure {
    Failure::new("ChartRefused", "Helm doesn't render it")
        .cause(pdp_policies::printable_lines(words))
        .hint(
            "a chart that Helm refuses here is refused in every data plane: fix it, or give it values (`values`; what \
             each customer has to give: a file of it in `sampleValues`)",
        )
}

fn too_slow() -> Failure {
    Failure::new("ChartTooSlow", format!("Helm renders it for more than {} s", TIME.as_secs()))
        .hint("find the template that doesn't end")
}

fn too_large() -> Failure {
    Failure::new("ChartTooLarge", format!("Helm prints more than {MAX_OUTPUT} bytes"))
        .hint("find the template that doesn't end")
}
