//! Git over HTTP: `git http-backend` behind a small server, bare repositories in a folder.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use axum::Router;

use crate::exchange::Exchange;
use crate::fault::Faults;
use crate::git_backend::{Backend, Ways, backend};
use crate::login::Login;
use crate::server::{Gate, Server};

/// A Git host on 127.0.0.1.
#[derive(Debug)]
pub struct GitHost {
    server: Server,
    gate: Gate,
    folder: PathBuf,
    ways: Arc<Mutex<Ways>>,
}

impl GitHost {
    /// Starts a host whose repositories lie in `folder`.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let gate = Gate::default();
        let ways = Arc::<Mutex<Ways>>::default();
        let state = Backend { folder: folder.to_owned(), ways: ways.clone() };
        let app = Router::new().fallback(backend).with_state(state);
        Ok(Self { server: Server::start(app, gate.clone())?, gate, folder: folder.to_owned(), ways })
    }

    /// Makes an empty bare repository that takes pushes, and gives its address.
    ///
    /// # Errors
    /// When git fails.
    pub fn create(&self, name: &str) -> Result<String> {
        let path = self.folder.join(name);
        git(&self.folder, &["init", "-q", "--bare", "-b", "main", &path.to_string_lossy()], &[])?;
        git(&path, &["config", "http.receivepack", "true"], &[])?;
        Ok(self.url(name))
    }

    /// The address of a repository.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.server.address())
    }

    /// Answers requests for a repository with a redirect to `address`, as after a renaming.
    pub fn redirect(&self, name: &str, address: &str, status: u16) {
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        ways.moved.push((format!("/{name}"), address.to_owned(), status));
    }

    /// What its clock says from now on, as in `Mon, 23 Nov 2026 08:00:00 GMT`.
    pub fn set_clock(&self, date: Option<&str>) {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner).date = date.map(str::to_owned);
    }

    /// Ends `shallow` lines with LF from now on, as servers of the JGit family do.
    pub fn end_shallow_lines_with_lf(&self) {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner).shallow_with_lf = true;
    }

    /// Where a repository lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Runs git within a repository with some input, as whoever owns the host could.
    ///
    /// # Errors
    /// When git fails.
    pub fn git_with_input(&self, name: &str, args: &[&str], input: &[u8]) -> Result<String> {
        git_with_input(&self.folder.join(name), args, input)
    }

    /// Its faults.
    pub fn faults(&self) -> &Faults {
        &self.gate.faults
    }

    /// What it was asked and answered since the last call.
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        self.gate.exchanges.take()
    }

    /// Asks for this login from now on.
    pub fn require(&self, login: Option<Login>) {
        *self.gate.login.lock().unwrap_or_else(PoisonError::into_inner) = login;
    }

    /// Ends it; the repositories stay.
    pub fn stop(&self) {
        self.server.stop();
    }

    /// Starts it again on its port.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn restart(&self) -> Result<()> {
        self.server.restart()
    }

    /// Runs git within a repository, as whoever owns the host could.
    ///
    /// # Errors
    /// When git fails.
    pub fn git(&self, name: &str, args: &[&str]) -> Result<String> {
        git(&self.folder.join(name), args, &[])
    }

    /// All files of a branch, empty if there is no such branch.
    ///
    /// # Errors
    /// When git fails.
    pub fn files(&self, name: &str, branch: &str) -> Result<BTreeMap<String, Vec<u8>>> {
        let Ok(list) = self.git(name, &["ls-tree", "-r", "--name-only", branch]) else {
            return Ok(BTreeMap::new());
        };
        let mut files = BTreeMap::new();
        for path in list.lines() {
            let shown =
                command(&self.folder.join(name)).args(["show", &format!("{branch}:{path}")]).output()?;
            ensure!(shown.status.success(), "git show {branch}:{path}");
            files.insert(path.to_owned(), shown.stdout);
        }
        Ok(files)
    }

    /// Moves a branch to any commit, back or aside, as a force-push does.
    ///
    /// # Errors
    /// When there is no such revision.
    pub fn force(&self, name: &str, branch: &str, revision: &str) -> Result<()> {
        let commit = self.git(name, &["rev-parse", "--verify", &format!("{revision}^{{commit}}")])?;
        self.git(name, &["update-ref", &format!("refs/heads/{branch}"), commit.trim()]).map(|_| ())
    }

    /// Appends commits to a branch, each of which puts some files; thousands are there in a second.
    ///
    /// # Errors
    /// When git fails.
    pub fn append<'a, F>(&self, name: &str, branch: &str, commits: impl IntoIterator<Item = F>) -> Result<()>
    where
        F: IntoIterator<Item = (&'a String, &'a Vec<u8>)>,
    {
        let repository = self.folder.join(name);
        let (target, mut from) = (format!("refs/heads/{branch}"), String::new());
        if git(&repository, &["rev-parse", "-q", "--verify", &target], &[]).is_ok() {
            from = format!("from {target}^0\n");
        }
        let import = ["fast-import", "--quiet", "--done"];
        let mut child = command(&repository).args(import).stdin(Stdio::piped()).spawn()?;
        let mut stream = BufWriter::new(child.stdin.take().context("stdin")?);
        for files in commits {
            write!(stream, "commit {target}\ncommitter someone <someone@example.org> 1795420800 +0000\n")?;
            write!(stream, "data 8\nrefresh\n{}", std::mem::take(&mut from))?;
            for (path, content) in files {
                write!(stream, "M 100644 inline {path}\ndata {}\n", content.len())?;
                stream.write_all(content)?;
                stream.write_all(b"\n")?;
            }
        }
        stream.write_all(b"done\n")?;
        drop(stream);
        ensure!(child.wait()?.success(), "git fast-import");
        Ok(())
    }

    /// Puts a branch to a new commit with exactly these files: what an attacker at the host can do.
    ///
    /// # Errors
    /// When git fails.
    pub fn overwrite(&self, name: &str, branch: &str, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
        let repository = self.folder.join(name);
        // Its own folder, because tests may overwrite one repository at a time.
        let scratch = tempfile::tempdir()?;
        let env = [("GIT_INDEX_FILE", scratch.path().join("index").to_string_lossy().into_owned())];
        for (path, content) in files {
            let blob = git_with_input(&repository, &["hash-object", "-w", "--stdin"], content)?;
            git(
                &repository,
                &["update-index", "--add", "--cacheinfo", &format!("100644,{},{path}", blob.trim())],
                &env,
            )?;
        }
        let tree = git(&repository, &["write-tree"], &env)?;
        let identity = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"];
        let mut commit: Vec<&str> = identity.to_vec();
        commit.extend(["commit-tree", tree.trim(), "-m", "someone was here"]);
        let parent = self.git(name, &["rev-parse", "-q", "--verify", branch]).ok();
        if let Some(parent) = &parent {
            commit.extend(["-p", parent.trim()]);
        }
        let commit = git(&repository, &commit, &[])?;
        git(&repository, &["update-ref", &format!("refs/heads/{branch}"), commit.trim()], &[])?;
        Ok(())
    }
}

fn git(folder: &Path, args: &[&str], env: &[(&str, String)]) -> Result<String> {
    let output = command(folder).args(args).envs(env.iter().cloned()).output()?;
    if !output.status.success() {
        bail!("git {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn git_with_input(folder: &Path, args: &[&str], input: &[u8]) -> Result<String> {
    let mut child = command(folder).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child.stdin.take().context("stdin")?.write_all(input)?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "git {}", args.join(" "));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Git in a folder, deaf to the environment of whoever runs the tests: within a Git hook, `GIT_DIR`
/// names the developer's own repository, and every command here would go there.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    crate::programs::forget_environment(&mut command);
    command.current_dir(folder).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    command
}
