//! The channel server as a process that can be killed and started again on its port with its database.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use crate::programs::Running;
use crate::wait_for;

/// A channel server on 127.0.0.1.
#[derive(Debug)]
pub struct ChannelServer {
    port: u16,
    /// Its database: a file, or an address of PostgreSQL.
    pub database: String,
    /// An admin's API token.
    pub token: String,
    log: PathBuf,
    running: Mutex<Option<Running>>,
    http: reqwest::blocking::Client,
}

impl ChannelServer {
    pub(crate) fn new(port: u16, database: String, token: String, log: PathBuf) -> Result<Self> {
        // Choosing twice is harmless; not choosing panics.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http =
            reqwest::blocking::Client::builder().timeout(std::time::Duration::from_secs(60)).build()?;
        Ok(Self { port, database, token, log, running: Mutex::new(None), http })
    }

    /// Where it keeps what it fetched; with SQLite it finds a place beside its file by itself.
    pub(crate) fn cache(&self) -> PathBuf {
        self.log.with_extension("cache")
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts `command` and waits until it answers.
    ///
    /// # Errors
    /// When it ends at once, or doesn't answer in time.
    pub(crate) fn start(&self, command: Command) -> Result<()> {
        let running = Running::start(command, self.log.clone())?;
        *self.lock() = Some(running);
        wait_for("the channel server to answer", || self.get("/healthz").is_ok_and(|(code, _)| code == 200))
            .with_context(|| self.words())
    }

    /// Waits until it has read the catalog.
    ///
    /// # Errors
    /// When it doesn't in time.
    pub fn ready(&self) -> Result<()> {
        let is_ready = || self.get("/readyz").is_ok_and(|(code, _)| code == 200);
        wait_for("the channel server to be ready", is_ready).with_context(|| self.words())
    }

    /// `kill -9`.
    pub fn kill(&self) {
        if let Some(mut running) = self.lock().take() {
            running.kill();
        }
    }

    /// `kill -TERM`; its exit code.
    ///
    /// # Errors
    /// When it doesn't end.
    pub fn terminate(&self) -> Result<Option<i32>> {
        self.lock().take().context("not running")?.terminate()
    }

    /// What it logged so far.
    pub fn words(&self) -> String {
        std::fs::read_to_string(self.log.with_extension("err")).unwrap_or_default()
    }

    /// Its process id.
    pub fn id(&self) -> Option<u32> {
        self.lock().as_ref().map(Running::id)
    }

    /// A plain GET without any token.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn get(&self, path: &str) -> Result<(u16, String)> {
        self.call(Method::GET, path, None, None)
    }

    /// A request; status and body.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Vec<u8>>,
    ) -> Result<(u16, String)> {
        let mut request = self.http.request(method, format!("{}{path}", self.url()));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let answer = request.send()?;
        Ok((answer.status().as_u16(), answer.text()?))
    }

    /// What the admin sees at `path`.
    ///
    /// # Errors
    /// When it isn't 200, or isn't JSON.
    pub fn admin(&self, path: &str) -> Result<Value> {
        let (status, body) = self.call(Method::GET, path, Some(&self.token), None)?;
        ensure!(status == 200, "{path}: {status} {body}");
        Ok(serde_json::from_str(&body)?)
    }

    /// A rollout of `pdp-2026` as this server shows it.
    ///
    /// # Errors
    /// When there is none.
    pub fn rollout(&self, level: u32) -> Result<Value> {
        self.admin(&format!("/v1/rollouts/pdp-2026/{level}"))
    }

    /// Gives a rollout of `pdp-2026` a command with somebody's token: status and answer.
    ///
    /// # Errors
    /// When the server doesn't answer with JSON.
    pub fn order(&self, level: u32, token: &str, command: &Value) -> Result<(u16, Value)> {
        let body = json!({ "command": command, "reason": "a test" }).to_string().into_bytes();
        let path = format!("/v1/rollouts/pdp-2026/{level}/commands");
        let (status, answer) = self.call(Method::POST, &path, Some(token), Some(body))?;
        Ok((status, serde_json::from_str(&answer)?))
    }

    /// All events so far, as they are stored.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn events(&self) -> Result<Vec<Value>> {
        let (mut all, mut after) = (Vec::new(), "0".to_owned());
        loop {
            let page = self.admin(&format!("/v1/events?limit=1000&after={after}"))?;
            all.extend(page["items"].as_array().cloned().unwrap_or_default());
            match page["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => return Ok(all),
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
