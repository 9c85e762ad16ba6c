//! `make bench`: the figures that we promise, measured on this machine. `ONLY=release|transport|server|rollouts|cluster` measures a
//! part, `ONLY=rest` memory at rest alone, `ONLY=images` the search for images alone, `ONLY=beside` a release beside Helm and
//! cosign alone.

mod before;
mod beside;
mod cluster;
mod growth;
mod images;
mod load;
mod locking;
mod passes;
mod rollouts;
mod server;
mod spent;
mod transport;

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use pdp_e2e::{World, wait_for};
use serde_json::Value;

/// A part of the figures by name.
type Part = (&'static str, fn() -> Result<()>);

fn main() -> Result<()> {
    let only = std::env::var("ONLY").unwrap_or_default();
    let parts: [Part; 9] = [
        ("release", release),
        ("transport", transport::bench),
        ("server", server::bench),
        ("rollouts", rollouts),
        ("cluster", cluster::bench),
        ("rest", transport::rest),
        ("images", images::bench),
        ("beside", beside),
        ("paper", on_paper),
    ];
    ensure!(
        only.is_empty() || parts.iter().any(|(name, _)| *name == only),
        "ONLY=release|transport|server|rollouts|cluster|rest|images|beside|paper"
    );
    row("FIGURE", "MEASURED", "AIM");
    // Rest alone is part of what `transport` measures, and images and beside alone of `release`, paper
    // of `rollouts`.
    let is_part = |name: &str| ["rest", "images", "beside", "paper"].contains(&name);
    let is_asked = |name: &str| if only.is_empty() { !is_part(name) } else { name == only };
    parts.iter().filter(|(name, _)| is_asked(name)).try_for_each(|(_, part)| part())
}

/// Many rollouts in virtual time.
fn on_paper() -> Result<()> {
    for line in example("replay_rollouts")?.lines() {
        let [what, measured, aim] = line.split('\t').collect::<Vec<_>>()[..] else { bail!("{line}") };
        row(what, measured, aim);
    }
    for line in example("simulate_growth")?.lines() {
        let (what, measured) = line.split_once(": ").context("a figure")?;
        let aim = if what.starts_with("100000") { "<= 5000 ms, 1024 B each" } else { "" };
        row(&format!("simulate a rollout over {what}"), measured, aim);
    }
    Ok(())
}

/// On paper, and against a real server.
fn rollouts() -> Result<()> {
    on_paper()?;
    rollouts::bench()
}

/// Reading and publishing a level, and what pdp-sync holds in memory without a cluster.
fn release() -> Result<()> {
    let verify = verify_microseconds()?;
    let world = World::start()?;
    let (first, again) = publish_twice(&world)?;
    let rss = idle_rss_kib(&world)?;
    row(
        "verify catalog and release from memory, 100 levels (best of 50)",
        &format!("{verify} µs"),
        "< 5000 µs",
    );
    decide()?;
    row("resident memory of an idle pdp-sync at level 41", &format!("{rss} KiB"), "< 14336 KiB");
    for (name, traffic) in [("first", &first), ("again", &again)] {
        let number = |field: &str| traffic[field].to_string();
        row(&format!("publish 16 components and images, {name}: HTTP requests"), &number("requests"), "");
        row(&format!("publish 16 components and images, {name}: bytes sent"), &number("bytesSent"), "");
        let aim = if name == "again" { "0" } else { "" };
        row(
            &format!("publish 16 components and images, {name}: blobs uploaded"),
            &number("blobsUploaded"),
            aim,
        );
    }
    images::bench()?;
    growth::bench()?;
    passes::bench()?;
    beside()
}

/// What release engineers do, beside the same with Helm and cosign.
fn beside() -> Result<()> {
    beside::bench()?;
    locking::bench()
}

fn row(name: &str, measured: &str, aim: &str) {
    println!("{name:84} {measured:>12}  {aim}");
}

fn verify_microseconds() -> Result<u64> {
    Ok(example("verify_100_levels")?.trim().parse()?)
}

/// The gate's decision, and the check of the signatures that it counts.
fn decide() -> Result<()> {
    let printed = example("decide")?;
    let (deciding, checking) = printed.trim().split_once(' ').context("two figures")?;
    let what = "gate decision, 50 windows and 20 checked approvals (best of 50)";
    row(what, &format!("{deciding} µs"), "< 1000 µs");
    row("check 20 signed approvals (best of 50)", &format!("{checking} µs"), "");
    Ok(())
}

/// What an example of the library prints.
fn example(name: &str) -> Result<String> {
    let args = ["run", "--quiet", "--locked", "--release", "-p", "pdp-policies", "--example", name];
    let output = Command::new("cargo").current_dir(World::fixtures()).args(args).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Traffic of publishing level 41 into an empty registry, and once more.
fn publish_twice(world: &World) -> Result<(Value, Value)> {
    world.release(41, "emergency")?;
    world.open(41, &["general=100"])?;
    let empty = pdp_e2e::Registry::start()?;
    let publish = || -> Result<Value> {
        let (out, images) = (world.path("level-41"), World::fixtures().join("images"));
        let (ci, person, host) = (world.key("ci"), world.key("release-1"), empty.host());
        let (out, images) = (out.to_string_lossy(), images.to_string_lossy());
        let args = [
            "release",
            "publish",
            &out,
            "--images",
            &images,
            "--registry",
            &host,
            "--key",
            &ci,
            "--key",
            &person,
            "-o",
            "json",
        ];
        let value: Value = serde_json::from_str(&world.publisher(&args)?.stdout)?;
        Ok(value["traffic"].clone())
    };
    Ok((publish()?, publish()?))
}

/// After the first level is installed and one more pass has gone by.
fn idle_rss_kib(world: &World) -> Result<u64> {
    let plane = world.data_plane("acme-retail", "prod", "general", "  interval: 2s\n")?;
    let running = plane.start(world)?;
    wait_for("level 41", || plane.level() == Some(41))?;
    let seen = plane.status()?["observedAt"].clone();
    wait_for("a further pass", || plane.status().is_ok_and(|s| s["observedAt"] != seen))?;
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.id()))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS")).context("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).context("no number")?.parse()?)
}
