//! What a piece of work costs: wall time, processor time and number of processes, and what servers were asked.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use pdp_e2e::{Registry, World};

use crate::row;

/// Clock ticks per second; Linux has used 100 towards programs for ever.
const TICKS: f64 = 100.0;

/// Of one run, or the median of several.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    /// Seconds.
    pub(crate) wall: f64,
    /// Seconds of processor time of all processes, their children included.
    pub(crate) processor: f64,
    pub(crate) processes: f64,
    pub(crate) requests: f64,
}

/// What counts requests.
pub(crate) struct Counted<'a> {
    pub(crate) world: &'a World,
    pub(crate) registry: &'a Registry,
}

impl Counted<'_> {
    fn requests(&self) -> usize {
        self.registry.take_exchanges().len() + self.world.git.take_exchanges().len()
    }

    /// Runs commands one after the other; each has to succeed.
    pub(crate) fn run(&self, commands: Vec<Command>) -> Result<Spent> {
        self.requests();
        let (processes, before, begun) = (commands.len(), of_children()?, Instant::now());
        for mut command in commands {
            let output = command.output().with_context(|| format!("run {command:?}"))?;
            ensure!(
                output.status.success(),
                "{command:?}: {}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let wall = begun.elapsed().as_secs_f64();
        let (processes, requests) = (count(processes), count(self.requests()));
        Ok(Spent { wall, processor: of_children()? - before, processes, requests })
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of one run")]
pub(crate) fn count(number: usize) -> f64 {
    number as f64
}

/// Processor time of all that this process has waited for so far, and of what they have waited for (seconds).
fn of_children() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name before may hold blanks; cutime and cstime are the 14th and 15th after it.
    let (_, after) = stat.rsplit_once(')').context("stat")?;
    let ticks = after.split_whitespace().skip(13).take(2).map(str::parse::<u32>);
    let ticks: u32 = ticks.collect::<Result<Vec<_>, _>>()?.into_iter().sum();
    Ok(f64::from(ticks) / TICKS)
}

impl Spent {
    /// Each figure by itself.
    pub(crate) fn median(runs: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| {
            let mut all: Vec<_> = runs.iter().map(figure).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied().unwrap_or_default()
        };
        Self {
            wall: of(|it| it.wall),
            processor: of(|it| it.processor),
            processes: of(|it| it.processes),
            requests: of(|it| it.requests),
        }
    }

    /// One after the other.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            wall: self.wall + other.wall,
            processor: self.processor + other.processor,
            processes: self.processes + other.processes,
            requests: self.requests + other.requests,
        }
    }

    /// Of each of so many.
    pub(crate) fn each(self, times: f64) -> Self {
        Self {
            wall: self.wall / times,
            processor: self.processor / times,
            processes: self.processes / times,
            requests: self.requests / times,
        }
    }
}

/// `theirs / ours = ours as a part of theirs`.
pub(crate) fn line(name: &str, unit: &str, theirs: f64, ours: f64, aim: &str) {
    let ratio = if theirs > 0.0 { ours / theirs } else { 0.0 };
    let digits = if unit.is_empty() { 0 } else { 2 };
    row(name, &format!("{theirs:.digits$} / {ours:.digits$}{unit} = {ratio:.3}"), aim);
}
