//! How far a bad level comes before it halts, and how soon: a fleet of simulated data planes on the real protocol.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use pdp_e2e::World;
use pdp_e2e::fleet::{Fleet, Script};
use serde_json::Value;

use crate::row;

/// Ring, organizations, data planes of each.
const RINGS: [(&str, usize, usize); 3] = [("canary", 4, 5), ("early", 10, 18), ("general", 90, 20)];
/// Bad levels, and how many in a hundred data planes each breaks.
const BAD: [(u32, u8); 3] = [(41, 100), (42, 30), (43, 5)];

/// So long after the halt starts are still looked for.
const LATE: Duration = Duration::from_secs(3);

pub(crate) fn bench() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut world = World::start()?;
    world.serve()?;
    // Everything may open at once and soaks for two seconds: what is left is how fast failures are noticed.
    world.plan(|plan| {
        let line = |line: &str| match line.find("{opensAfter") {
            Some(at) => format!("{}{{opensAfter: 0s, soak: 2s, silenceAfter: 1h}}\n", &line[..at]),
            None => format!("{line}\n"),
        };
        plan.lines().map(line).collect()
    })?;
    let fleet = Fleet::enrol(&runtime, &world, &RINGS)?;
    let on_paper = fleet_on_paper(&world)?;
    for (level, breaks) in BAD {
        let script = Script { breaks: [(level, breaks)].into(), ..Script::default() };
        let playing = fleet.play(&runtime, script, None);
        world.release(level, "emergency")?;
        let halted = halted(&world, level)?;
        // Whoever would start late in spite of the halt shall be counted.
        std::thread::sleep(LATE);
        let moments = playing.counts.moments();
        let failed = moments.first_failure.context("nobody failed")?;
        let late =
            moments.last_start.map_or(0.0, |last| last.saturating_duration_since(failed).as_secs_f64());
        let (started, _, broken) = playing.so_far();
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let share = started as f64 * 100.0 / fleet.len() as f64;
        let what = format!("a level that breaks {breaks} % of {} data planes", fleet.len());
        row(&format!("{what}: halted in"), &halted, "");
        let aim = if breaks == 100 { "<= 1 %" } else { "" };
        row(&format!("{what}: share that had started it"), &format!("{share:.2} %"), aim);
        for (who, timed) in by_the_clock(&world, &on_paper, breaks)? {
            let measured = format!("{timed:.2} %");
            row(&format!("{what}: by the clock alone, {who}"), &measured, "");
            row(&format!("{what}: ratio to that"), &format!("1 : {:.1}", timed / share), "");
        }
        row(&format!("{what}: data planes that it broke"), &broken.to_string(), "");
        row(
            &format!("{what}: first failure report -> last start"),
            &format!("{late:.2} s"),
            "< 60 s (a poll)",
        );
    }
    Ok(())
}

/// The same fleet as `publisher rollout simulate` reads it.
fn fleet_on_paper(world: &World) -> Result<String> {
    let mut fleet = "pollEvery: 1m\nupgrade: {least: 8m, most: 25m}\nrings:\n".to_owned();
    for (name, organizations, data_planes) in RINGS {
        writeln!(fleet, "  - {{name: {name}, organizations: {organizations}, dataPlanes: {data_planes}}}")?;
    }
    let file = world.path("fleet.yaml");
    std::fs::write(&file, fleet)?;
    Ok(file.to_string_lossy().into_owned())
}

/// The share (percent) that a plan of the shipped one's length starts which knows nothing but time: if nobody stops
/// it, and if people do five hours after the first failure.
fn by_the_clock(world: &World, fleet: &str, breaks: u8) -> Result<[(&'static str, f64); 2]> {
    let args = ["rollout", "simulate", fleet, "--breaks", &breaks.to_string(), "-o", "json"];
    let answer: Value = serde_json::from_str(&world.publisher(&args)?.stdout)?;
    let number = |value: &Value| value.as_f64().with_context(|| format!("no number in {}", answer["timed"]));
    let (timed, all) = (&answer["timed"], number(&answer["dataPlanes"])?);
    let nobody = number(&timed["started"])? * 100.0 / all;
    Ok([("nobody stops it", nobody), ("people stop it after 5 h", number(&timed["stop"]["share"])?)])
}

/// Waits until a ring is halted and names it.
fn halted(world: &World, level: u32) -> Result<String> {
    let begun = Instant::now();
    loop {
        let view = world.rollout(level).unwrap_or_default();
        let rings = view["rings"].as_array().cloned().unwrap_or_default();
        let halted = |ring: &&Value| ring["phase"] == "halted" && ring["starts"].as_u64() > Some(0);
        if let Some(ring) = rings.iter().rev().find(halted) {
            let (ring, wave) = (ring["ring"].as_str().unwrap_or_default(), &ring["wave"]);
            return Ok(format!("{ring} {wave}"));
        }
        ensure!(begun.elapsed() < Duration::from_secs(120), "level {level} never halted: {view:#}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
