//! Everything that a story needs: a vendor with keys, a registry, a Git host, and data planes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::channel_server::ChannelServer;
use crate::git_host::GitHost;
use crate::outside::Outside;
use crate::programs::{Finished, Program, Running};
use crate::registry::Registry;

/// The password of all test keys.
const PASSWORD: &str = "test keys only";

/// A vendor and the world around it; everything ends with this value.
#[derive(Debug)]
pub struct World {
    folder: tempfile::TempDir,
    /// The vendor's registry.
    pub registry: Registry,
    /// The Git host of vendor and customers.
    pub git: GitHost,
    /// The clock of all programs (RFC 3339); the real one if none.
    pub now: Option<String>,
    /// Prints every command and its output.
    pub loud: bool,
    /// The channel server, once there is one.
    pub server: Option<ChannelServer>,
    /// Other people's servers in place of `registry` and `git`.
    pub outside: Outside,
    /// Publishes the catalog as an OCI artifact too, as `catalog_repository` names it.
    pub catalog_in_oci: bool,
}

/// One data plane: its subscription, its state and its repository.
#[derive(Debug)]
pub struct DataPlane {
    /// `<organization>-<data plane>`; also its repository's name.
    pub name: String,
    /// The subscription file.
    pub subscription: PathBuf,
    /// Its state folder.
    pub state: PathBuf,
}

impl World {
    /// Starts servers and makes the vendor's keys and first catalog.
    ///
    /// # Errors
    /// When a server or program fails.
    pub fn start() -> Result<Self> {
        Self::start_with(false)
    }

    /// As above, on other people's servers.
    ///
    /// # Errors
    /// When a server or program fails.
    pub fn start_on(outside: Outside) -> Result<Self> {
        let world = Self::prepare(outside, false)?;
        world.found()?;
        Ok(world)
    }

    /// As above; prints every command if `loud`.
    ///
    /// # Errors
    /// When a server or program fails.
    pub fn start_with(loud: bool) -> Result<Self> {
        let world = Self::prepare(Outside::default(), loud)?;
        world.found()?;
        Ok(world)
    }

    /// A world with servers and an empty repository for the catalog; there are no keys yet.
    ///
    /// # Errors
    /// When a server fails.
    pub fn prepare(outside: Outside, loud: bool) -> Result<Self> {
        let folder = crate::reaper::folder("pdp-world-")?;
        let (git, registry) = (GitHost::start(&folder.path().join("git"))?, Registry::start()?);
        let (now, server, catalog_in_oci) = (None, None, false);
        let world = Self { folder, registry, git, now, loud, server, outside, catalog_in_oci };
        world.create_repository("catalog")?;
        Ok(world)
    }

    /// Makes the vendor's keys and its first catalog, which nobody sees yet.
    ///
    /// # Errors
    /// When the command fails.
    pub fn ceremony(&self) -> Result<()> {
        let vendor = self.path("vendor").to_string_lossy().into_owned();
        self.publisher(&["key", "ceremony", "--out", &vendor, "--line", "pdp-2026"]).map(|_| ())
    }

    /// Makes the vendor's keys and publishes its first catalog.
    ///
    /// # Errors
    /// When a command fails.
    pub fn found(&self) -> Result<()> {
        self.ceremony()?;
        let vendor = self.path("vendor").to_string_lossy().into_owned();
        self.publisher(&["catalog", "init", &format!("{vendor}/catalog")]).map(|_| ())
    }

    /// Makes an empty repository on the Git host and gives its address.
    ///
    /// # Errors
    /// When the host doesn't make it.
    pub fn create_repository(&self, name: &str) -> Result<String> {
        match &self.outside.git {
            Some(site) => site.create(name).map(|()| site.url(name)),
            None => self.git.create(name),
        }
    }

    /// The address of a repository on the Git host.
    pub fn git_url(&self, name: &str) -> String {
        self.outside.git.as_ref().map_or_else(|| self.git.url(name), |site| site.url(name))
    }

    /// A path within the world.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The file of a vendor's private key.
    pub fn key(&self, name: &str) -> String {
        self.path(&format!("vendor/keys/{name}.key")).to_string_lossy().into_owned()
    }

    /// The root that data planes are installed with.
    pub fn root(&self) -> PathBuf {
        self.path("vendor/catalog/metadata/1.root.json")
    }

    /// The registry that the vendor publishes to.
    pub fn registry_host(&self) -> String {
        self.outside.registry.clone().unwrap_or_else(|| self.registry.host())
    }

    /// Where the catalog lies as an OCI artifact, tag `latest`, if `catalog_in_oci` is set.
    pub fn catalog_repository(&self) -> String {
        format!("{}/pdp/catalog", self.registry_host())
    }

    /// The committed fixtures.
    pub fn fixtures() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
    }

    /// A program within this world: its folder, its servers, its clock, and nothing of the caller's environment.
    ///
    /// # Errors
    /// When it doesn't build.
    pub fn command(&self, program: Program) -> Result<Command> {
        Ok(self.within(program.command()?))
    }

    /// Any program within this world.
    pub fn within(&self, mut command: Command) -> Command {
        command
            .current_dir(self.folder.path())
            .env("PUBLISHER_PASSWORD", PASSWORD)
            .env("PUBLISHER_CATALOG", self.git_url("catalog"))
            .env("PUBLISHER_ROOT", self.root())
            .env("PUBLISHER_REGISTRY", self.registry_host())
            .env("XDG_CACHE_HOME", self.folder.path())
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env_remove("GITHUB_ACTIONS")
            .envs(self.outside.env.iter().map(|(name, value)| (name, value)))
            .envs(self.outside.ca.iter().flat_map(|ca| [("PUBLISHER_CA", ca), ("CHANNEL_SERVER_CA", ca)]))
            .envs(self.now.iter().map(|now| ("PDP_NOW", now)))
            .envs(self.server.iter().map(|server| ("PUBLISHER_SERVER", server.url())))
            .envs(self.server.iter().map(|server| ("PUBLISHER_TOKEN", server.token.clone())));
        command
    }

    /// Runs a program to its end.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn run(&self, program: Program, args: &[&str], env: &[(&str, &str)]) -> Result<Finished> {
        if self.loud {
            println!("\n$ {} {}", program.name(), shown(args, self.folder.path()));
        }
        let mut command = self.command(program)?;
        let output = command.args(args).envs(env.iter().copied()).output();
        let output = output.with_context(|| format!("run {}", program.name()))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let finished = Finished {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        if self.loud {
            print!(
                "{}{}",
                relative(&finished.stderr, self.folder.path()),
                relative(&finished.stdout, self.folder.path())
            );
        }
        Ok(finished)
    }

    /// Runs `publisher`, which must succeed.
    ///
    /// # Errors
    /// When it fails.
    pub fn publisher(&self, args: &[&str]) -> Result<Finished> {
        let finished = self.run(Program::Publisher, args, &[])?;
        if !finished.ok() {
            bail!("publisher {}: {:?}\n{}", args.join(" "), finished.code, finished.stderr);
        }
        Ok(finished)
    }

    /// Makes a data plane with an empty repository; `more` are further lines of its `spec`. No ring: an empty text.
    ///
    /// # Errors
    /// When the repository can't be made.
    pub fn data_plane(
        &self,
        organization: &str,
        data_plane: &str,
        ring: &str,
        more: &str,
    ) -> Result<DataPlane> {
        let catalog = format!("{{git: {{url: \"{}\", branch: catalog}}}}", self.git_url("catalog"));
        self.data_plane_on(organization, data_plane, ring, &catalog, &self.registry_host(), more)
    }

    /// As above, with another catalog source (YAML) and another mirror.
    ///
    /// # Errors
    /// When the repository can't be made.
    pub fn data_plane_on(
        &self,
        organization: &str,
        data_plane: &str,
        ring: &str,
        catalog: &str,
        mirror: &str,
        more: &str,
    ) -> Result<DataPlane> {
        let name = format!("{organization}-{data_plane}");
        let ring = if ring.is_empty() { String::new() } else { format!("  ring: {ring}\n") };
        let target = self.create_repository(&name)?;
        let ca =
            self.outside.ca.as_ref().map_or_else(String::new, |ca| format!("  ca: [{}]\n", ca.display()));
        let subscription = self.path(&format!("{name}.yaml"));
        let text = format!(
            "apiVersion: updates.pdp.wso2.com/v1\nkind: UpdateSubscription\nmetadata: {{name: pdp, namespace: flux-system}}\n\
             spec:\n  organization: {organization}\n  dataPlane: {data_plane}\n  line: pdp-2026\n{ring}  \
             platform: azure\n  catalog: {catalog}\n  root: {}\n  mirror: \"{mirror}\"\n  \
             target: {{git: {{url: \"{target}\", branch: main, path: pdp}}}}\n{ca}{more}",
            self.root().display(),
        );
        std::fs::write(&subscription, text)?;
        let state = self.path(&format!("{name}-state"));
        Ok(DataPlane { name, subscription, state })
    }
}

impl DataPlane {
    /// One pass of pdp-sync; its status as JSON on stdout.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn pass(&self, world: &World, env: &[(&str, &str)]) -> Result<Finished> {
        let (file, state) = (self.subscription.to_string_lossy(), self.state.to_string_lossy());
        let output = if world.loud { "text" } else { "json" };
        let args = ["run", "--once", "--subscription", &file, "--state", &state, "-o", output];
        world.run(Program::PdpSync, &args, env)
    }

    /// The status that the last pass left.
    ///
    /// # Errors
    /// When there is none.
    pub fn status(&self) -> Result<serde_json::Value> {
        let bytes = std::fs::read(self.state.join("status.json")).context("read status.json")?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// Its installed level, none before the first.
    pub fn level(&self) -> Option<u64> {
        self.status().ok()?["level"].as_u64()
    }

    /// Lets pdp-sync run in the background, by the world's clock.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(&self, world: &World) -> Result<Running> {
        self.start_with(world, &[])
    }

    /// As above, with other environment variables.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start_with(&self, world: &World, env: &[(&str, &str)]) -> Result<Running> {
        self.start_program(world, world.command(Program::PdpSync)?, env)
    }

    /// As above, with a pdp-sync that was built somewhere else.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start_program(
        &self,
        world: &World,
        mut command: Command,
        env: &[(&str, &str)],
    ) -> Result<Running> {
        command.args(["run", "--subscription"]).arg(&self.subscription).arg("--state").arg(&self.state);
        command.envs(env.iter().copied());
        Running::start(command, world.path(&format!("{}.log", self.name)))
    }
}

fn shown(args: &[&str], folder: &Path) -> String {
    let quoted =
        args.iter().map(|arg| if arg.contains(' ') { format!("'{arg}'") } else { (*arg).to_owned() });
    relative(&quoted.collect::<Vec<_>>().join(" "), folder)
}

/// Paths as a reader standing in the world's folder would write them.
fn relative(text: &str, folder: &Path) -> String {
    let fixtures = World::fixtures().to_string_lossy().into_owned();
    text.replace(&format!("{}/", folder.display()), "").replace(&fixtures, "fixtures")
}
