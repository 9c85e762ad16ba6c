//! The world with a channel server: rings, enrolments, and a clock that can be moved.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::channel_server::ChannelServer;
use crate::programs::{Finished, Program, free_port};
use crate::wait_for;
use crate::world::{DataPlane, World};

impl World {
    /// Starts a channel server that follows the vendor's catalog and publishes ring state.
    ///
    /// # Errors
    /// When it doesn't start.
    pub fn serve(&mut self) -> Result<()> {
        let database = self.path("channel-server.db").to_string_lossy().into_owned();
        self.serve_on(&database)
    }

    /// As above, with its database in another place: a file, or an address of PostgreSQL.
    ///
    /// # Errors
    /// When it doesn't start.
    pub fn serve_on(&mut self, database: &str) -> Result<()> {
        self.create_repository("ring-state")?;
        let (key, director) = (self.key("director"), self.path("director.pem"));
        self.publisher(&["key", "export", &key, "--out", &director.to_string_lossy()])?;
        let token = self.token(database, "admin@wso2", "admin", "3650d")?;
        let log = self.path("channel-server.log");
        self.server = Some(ChannelServer::new(free_port()?, database.to_owned(), token, log)?);
        self.start_server()?;
        self.server()?.ready()
    }

    /// Starts one more server over the same database, with its own port, log and cache.
    ///
    /// # Errors
    /// When it doesn't start.
    pub fn replica(&self) -> Result<ChannelServer> {
        self.replica_on(&self.server()?.database)
    }

    /// As above, on another way to that database.
    ///
    /// # Errors
    /// When it doesn't start.
    pub fn replica_on(&self, database: &str) -> Result<ChannelServer> {
        let (port, token) = (free_port()?, self.server()?.token.clone());
        let log = self.path(&format!("channel-server-{port}.log"));
        let replica = ChannelServer::new(port, database.to_owned(), token, log)?;
        self.start_replica(&replica)?;
        replica.ready()?;
        Ok(replica)
    }

    /// Starts a replica again, on its port.
    ///
    /// # Errors
    /// When it doesn't answer in time.
    pub fn start_replica(&self, replica: &ChannelServer) -> Result<()> {
        replica.start(self.server_command(replica, &[])?)
    }

    /// Starts the channel server again, on its port with its database.
    ///
    /// # Errors
    /// When it doesn't answer in time.
    pub fn start_server(&self) -> Result<()> {
        self.start_replica(self.server()?)
    }

    /// The command that starts a channel server, with further environment variables.
    ///
    /// # Errors
    /// When it doesn't build.
    pub fn server_command(&self, server: &ChannelServer, env: &[(&str, &str)]) -> Result<Command> {
        let mut command = self.command(Program::ChannelServer)?;
        let listen = server.url().replace("http://", "");
        let oci = format!("{}/pdp/ring-state", self.registry_host());
        command
            .args([
                "serve",
                "--listen",
                &listen,
                "--catalog",
                &self.git_url("catalog"),
                "--catalog-interval",
                "2s",
            ])
            .args(["--ring-state-git", &self.git_url("ring-state"), "--ring-state-oci", &oci])
            .arg("--database")
            .arg(&server.database)
            .arg("--root")
            .arg(self.root())
            .arg("--director-key")
            .arg(self.path("director.pem"))
            .env_remove("PDP_NOW")
            .env("PDP_NOW_FILE", self.path("clock"))
            .envs(env.iter().copied());
        if server.database.contains("://") {
            command.arg("--cache").arg(server.cache());
        }
        Ok(command)
    }

    /// The channel server.
    ///
    /// # Errors
    /// When there is none.
    pub fn server(&self) -> Result<&ChannelServer> {
        self.server.as_ref().context("no channel server")
    }

    /// Moves the clock of all programs; the running ones see it at once.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn set_now(&mut self, unix: i64) -> Result<()> {
        let now = crate::rfc3339(unix);
        // Renamed into place: a reader never sees half a time.
        let (new, file) = (self.path("clock.new"), self.path("clock"));
        std::fs::write(&new, &now)?;
        std::fs::rename(new, file)?;
        self.now = Some(now);
        Ok(())
    }

    /// The API token of one more release engineer.
    ///
    /// # Errors
    /// When the command fails.
    pub fn colleague(&self, name: &str) -> Result<String> {
        self.token(&self.server()?.database, name, "release-engineer", "90d")
    }

    fn token(&self, database: &str, name: &str, role: &str, life: &str) -> Result<String> {
        let who = ["token", "create", "--name", name, "--role", role, "--life", life];
        let args = [&who[..], &["--database", database]].concat();
        let made = self.run(Program::ChannelServer, &args, &[])?;
        ensure!(made.ok(), "channel-server token create: {}", made.stderr);
        Ok(made.stdout.trim().to_owned())
    }

    /// Lets `channel-server verify-events` walk along the server's event log.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn verify_events(&self) -> Result<Finished> {
        let args = ["verify-events", "--database", &self.server()?.database];
        self.run(Program::ChannelServer, &args, &[])
    }

    /// Gives a rollout of `pdp-2026` a command with somebody's token: status and answer.
    ///
    /// # Errors
    /// When the server doesn't answer with JSON.
    pub fn order(&self, level: u32, token: &str, command: &Value) -> Result<(u16, Value)> {
        self.server()?.order(level, token, command)
    }

    /// Adds an organization in a ring.
    ///
    /// # Errors
    /// When it fails.
    pub fn organization(&self, name: &str, ring: &str) -> Result<()> {
        self.publisher(&["org", "add", name, "--ring", ring, "--reason", "contract"]).map(|_| ())
    }

    /// Makes a data plane that is to enrol with a fresh token at its first pass. `more` as in `data_plane`.
    ///
    /// # Errors
    /// When a command fails.
    pub fn enrolled(&self, organization: &str, data_plane: &str, more: &str) -> Result<DataPlane> {
        let id = format!("{organization}/{data_plane}");
        let token = self.publisher(&["pdp", "token", &id])?.stdout;
        let file = self.path(&format!("{organization}-{data_plane}.token"));
        std::fs::write(&file, token)?;
        let instruction = format!(
            "  instruction: {{server: {{url: \"{}\", enrolmentToken: {}}}}}\n{more}",
            self.server()?.url(),
            file.display()
        );
        self.data_plane(organization, data_plane, "", &instruction)
    }

    /// A rollout as the server shows it.
    ///
    /// # Errors
    /// When there is none.
    pub fn rollout(&self, level: u32) -> Result<Value> {
        self.server()?.rollout(level)
    }

    /// The hex SHA-256 of a promoted level's descriptor.
    ///
    /// # Errors
    /// When the server doesn't know it.
    pub fn sha256(&self, level: u32) -> Result<String> {
        let view = self.rollout(level)?;
        let digest = view["sha256"].as_str().and_then(|digest| digest.strip_prefix("sha256:"));
        Ok(digest.context("no digest")?.to_owned())
    }

    /// Waits until a ring of a rollout has this status: `waiting`, `open` or `passed`.
    ///
    /// # Errors
    /// When it doesn't in time; says how it stands then.
    pub fn wait_for_ring(&self, level: u32, ring: &str, status: &str) -> Result<()> {
        let is = || self.rollout(level).is_ok_and(|view| self::ring(&view, ring)["status"] == status);
        wait_for(&format!("ring {ring} of level {level} to be {status}"), is)
            .with_context(|| format!("{:#}", self.rollout(level).unwrap_or_default()))
    }

    /// Waits until a ring of a rollout has come to a wave; the first is 1.
    ///
    /// # Errors
    /// When it doesn't in time; says how it stands then.
    pub fn wait_for_wave(&self, level: u32, ring: &str, wave: usize) -> Result<()> {
        let is = || self.rollout(level).is_ok_and(|view| self::ring(&view, ring)["wave"] == wave);
        wait_for(&format!("wave {wave} of ring {ring} of level {level}"), is)
            .with_context(|| format!("{:#}", self.rollout(level).unwrap_or_default()))
    }
}

/// One ring of a rollout.
fn ring(view: &Value, name: &str) -> Value {
    let rings = view["rings"].as_array().cloned().unwrap_or_default();
    rings.into_iter().find(|ring| ring["ring"] == name).unwrap_or_default()
}
