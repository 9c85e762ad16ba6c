//! What one data plane costs its hosts and itself, over TLS with login: an installation and an idle look, beside the
//! same of an earlier pdp-sync.

use std::process::Command;

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use pdp_e2e::cluster::Usage;
use pdp_e2e::hosts::Authority;
use pdp_e2e::{DataPlane, Login, Program, Traffic, Tunnels, World, program_at, wait_at_most};

use crate::before::{self, BEFORE};
use crate::{cluster, row};

const GIT: &str = "git.example";
const REGISTRY: &str = "registry.example";
const TOKEN: &str = "token of the customer";
/// So many idle looks are watched.
const LOOKS: u32 = 20;

/// What was spent.
#[derive(Debug, Clone, Copy)]
struct Cost {
    requests: f64,
    connections: f64,
    bytes: f64,
    milliseconds: f64,
}

/// Of one pdp-sync.
#[derive(Debug)]
struct Figures {
    installation: Cost,
    /// Of one look.
    idle: Cost,
    /// KiB.
    memory: u64,
}

pub(crate) fn bench() -> Result<()> {
    let before = before::pdp_sync()?;
    let vendor = Vendor::start()?;
    let today = vendor.watch("before", program_at(&before))?;
    let now = vendor.watch("now", Program::PdpSync.command()?)?;
    row(&format!("over TLS with login, Git target: {BEFORE} / now"), "", "");
    compare("an installation", today.installation, now.installation, ["", ""]);
    compare("an idle look", today.idle, now.idle, ["<= 0.50", "<= 0.25"]);
    let memory = format!("{} / {} KiB", today.memory, now.memory);
    row("resident memory at rest, Git target", &memory, "< 14336 KiB");
    cluster::rest_beside(&before)
}

/// What pdp-sync holds in memory at rest, with either target.
pub(crate) fn rest() -> Result<()> {
    let now = Vendor::start()?.watch("now", Program::PdpSync.command()?)?;
    row("resident memory at rest, Git target", &format!("{} KiB", now.memory), "< 14336 KiB");
    cluster::rest()
}

fn compare(what: &str, today: Cost, now: Cost, aims: [&str; 2]) {
    let line = |name: &str, today: f64, now: f64, aim: &str| {
        let ratio = if today > 0.0 { now / today } else { 0.0 };
        row(&format!("{what}: {name}"), &format!("{today:.1} / {now:.1} = {ratio:.2}"), aim);
    };
    line("requests", today.requests, now.requests, aims[0]);
    line("connections", today.connections, now.connections, aims[1]);
    line("bytes", today.bytes, now.bytes, "");
    line("processor time, ms", today.milliseconds, now.milliseconds, "");
}

/// A vendor with level 41 behind a proxy that counts.
struct Vendor {
    world: World,
    tunnels: Tunnels,
    authority: Authority,
}

impl Vendor {
    fn start() -> Result<Self> {
        let world = World::start()?;
        world.release(41, "emergency")?;
        world.open(41, &["general=100"])?;
        let authority = Authority::new(&world.path("authority"))?;
        let port = |address: &str| -> Result<u16> {
            let (_, port) = address.rsplit_once(':').context("a port")?;
            Ok(port.trim_end_matches('/').parse()?)
        };
        let places = [(GIT, port(&world.git.url(""))?), (REGISTRY, port(&world.registry.host())?)];
        let tunnels = Tunnels::start(&authority, &places)?;
        Ok(Self { world, tunnels, authority })
    }

    /// Lets a pdp-sync install level 41 and then look again and again.
    fn watch(&self, name: &str, program: Command) -> Result<Figures> {
        let plane = self.data_plane(name)?;
        let login = || Login::Basic("x-access-token".to_owned(), TOKEN.to_owned());
        self.world.git.require(Some(login()));
        self.world.registry.require(Some(login()));
        self.requests();
        let begun = self.tunnels.traffic();
        let proxy = self.tunnels.url();
        let env = [("PDP_SYNC_GIT_TOKEN", TOKEN), ("HTTPS_PROXY", proxy.as_str())];
        let running = plane.start_program(&self.world, self.world.within(program), &env)?;
        let patience = std::time::Duration::from_secs(300);
        let installed = || plane.level() == Some(41);
        wait_at_most(patience, "level 41", installed).with_context(|| running.stderr())?;
        let (before, used) = (self.tunnels.traffic(), Usage::of(running.id())?);
        let installation = cost(self.requests(), (begun, before), used.seconds, 1);
        // The first look after it may still bring what the installation left.
        looks(&plane, 2)?;
        self.requests();
        let (before, used) = (self.tunnels.traffic(), Usage::of(running.id())?);
        looks(&plane, LOOKS)?;
        let rest = Usage::of(running.id())?;
        let idle =
            cost(self.requests(), (before, self.tunnels.traffic()), rest.seconds - used.seconds, LOOKS);
        self.world.git.require(None);
        self.world.registry.require(None);
        Ok(Figures { installation, idle, memory: rest.memory })
    }

    fn data_plane(&self, name: &str) -> Result<DataPlane> {
        let more = format!("  interval: 2s\n  ca: [{}]\n", self.authority.file().display());
        let plane = self.world.data_plane("acme", name, "general", &more)?;
        let text = std::fs::read_to_string(&plane.subscription)?
            .replace(&self.world.git.url(""), &format!("https://{GIT}/"))
            .replace(&self.world.registry.host(), REGISTRY);
        std::fs::write(&plane.subscription, text)?;
        let logins = serde_json::json!({ "auths": { REGISTRY: { "auth": STANDARD.encode(format!("x-access-token:{TOKEN}")) } } });
        std::fs::create_dir_all(self.world.path(".docker"))?;
        std::fs::write(self.world.path(".docker/config.json"), logins.to_string())?;
        Ok(plane)
    }

    /// Requests since the last call.
    fn requests(&self) -> usize {
        self.world.git.take_exchanges().len() + self.world.registry.take_exchanges().len()
    }
}

/// Waits until so many passes have ended.
fn looks(plane: &DataPlane, count: u32) -> Result<()> {
    let observed = || plane.status().map(|status| status["observedAt"].clone()).unwrap_or_default();
    for _ in 0..count {
        let seen = observed();
        pdp_e2e::wait_for("a further pass", || observed() != seen)?;
    }
    Ok(())
}

/// Of each of so many looks.
#[expect(clippy::cast_precision_loss, reason = "counts of one run")]
fn cost(requests: usize, (before, after): (Traffic, Traffic), seconds: f64, looks: u32) -> Cost {
    let each = |count: f64| count / f64::from(looks);
    Cost {
        requests: each(requests as f64),
        connections: each((after.connections - before.connections) as f64),
        bytes: each((after.bytes - before.bytes) as f64),
        milliseconds: each(seconds * 1000.0),
    }
}
