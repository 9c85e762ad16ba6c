//! What a process costs, as the kernel counts it.

use anyhow::{Context, Result};

/// Clock ticks per second; Linux has used 100 towards programs for ever.
const TICKS: f64 = 100.0;

/// Memory and processor time of a process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Resident memory (KiB).
    pub memory: u64,
    /// The part of it that is its own, not pages of the program's file (KiB).
    pub own: u64,
    /// Seconds of processor time since its start, in programs and in the kernel.
    pub seconds: f64,
}

impl Usage {
    /// Of a running process.
    ///
    /// # Errors
    /// When there is none of that id.
    pub fn of(pid: u32) -> Result<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let kib = |field: &str| -> Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(field)).context("memory")?;
            Ok(line.trim_start_matches(':').trim().trim_end_matches(" kB").parse()?)
        };
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name before may hold blanks; utime and stime are the 12th and 13th after it.
        let (_, after) = stat.rsplit_once(')').context("stat")?;
        let ticks = after.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
        let ticks: u32 = ticks.collect::<Result<Vec<_>, _>>()?.into_iter().sum();
        Ok(Self { memory: kib("VmRSS")?, own: kib("RssAnon")?, seconds: f64::from(ticks) / TICKS })
    }
}
