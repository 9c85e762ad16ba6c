//! How far a bad level comes before it halts, and how soon: a fleet of simulated data planes on the real protocol.

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
        row(&format!("{what}: data planes that it broke"), &broken.to_string(), "");
        row(
            &format!("{what}: first failure report -> last start"),
            &format!("{late:.2} s"),
            "< 60 s (a poll)",
        );
    }
    Ok(())
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
