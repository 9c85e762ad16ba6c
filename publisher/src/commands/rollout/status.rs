//! `publisher rollout status`.

use std::io::IsTerminal;
use std::time::Duration;

use pdp_policies::{Level, Line};
use pdp_transport::channel_server::{RingStatus, RolloutView};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format, say};

use super::bars::Bars;
use crate::server::{Desk, ServerArgs};

/// How often `--watch` looks.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The level.
    level: Level,
    /// The release line.
    #[arg(long)]
    line: Line,
    /// Stay and follow it until all rings have passed: bars on a terminal, a line per change otherwise.
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let (desk, path) = (args.server.open()?, format!("v1/rollouts/{}/{}", args.line, args.level));
    let view = if args.watch { watch(&desk, &path).await? } else { desk.get(&path).await? };
    output::print(format, &view, &text(&view))?;
    Ok(exit::DONE)
}

async fn watch(desk: &Desk, path: &str) -> Result<RolloutView> {
    let mut bars = std::io::stderr().is_terminal().then(Bars::default);
    let mut before = String::new();
    loop {
        let view: RolloutView = match desk.get(path).await {
            Ok(view) => view,
            // A watcher outlives a restart of the server.
            Err(failure) if failure.transient => {
                say(&format!("◎ {}: looking again", failure.code));
                tokio::time::sleep(LOOK).await;
                continue;
            }
            Err(failure) => return Err(failure),
        };
        match &mut bars {
            Some(bars) => bars.show(&view),
            None => {
                let now = text(&view);
                if now != before {
                    say(&now);
                    before = now;
                }
            }
        }
        if view.rings.iter().all(|ring| ring.status == RingStatus::Passed) {
            return Ok(view);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// One line per ring: where it stands, what its data planes do, what comes next.
fn text(view: &RolloutView) -> String {
    let braked = view.braked.as_ref().map_or_else(String::new, |code| format!("  ✗ {code}: nothing starts"));
    let mut lines = vec![format!("level {} of {}, {:?}{braked}", view.level, view.line, view.tempo)];
    lines.extend(view.rings.iter().map(|ring| {
        let (sign, state) = match ring.status {
            RingStatus::Waiting => {
                let when = ring.opens_at.map_or_else(String::new, |at| format!(", not before {at}"));
                ("·", format!("waits{when}"))
            }
            RingStatus::Open => {
                let cap =
                    ring.cap.map_or_else(String::new, |cap| format!(", {} of {cap} starts", ring.starts));
                let soak = ring.soaked_at.map_or_else(String::new, |at| format!(", soaks until {at}"));
                ("◎", format!("wave {} of {}{cap}{soak}", ring.wave, ring.waves))
            }
            RingStatus::Passed => ("✔", "passed".to_owned()),
        };
        format!("  {sign} {:12} {state}{}", ring.ring.as_str(), counts(&ring.census))
    }));
    lines.join("\n")
}

/// Only what isn't zero.
pub(super) fn counts(census: &pdp_policies::rollout::Census) -> String {
    let all = [
        ("healthy", census.healthy),
        ("started", census.started),
        ("failed", census.failed),
        ("silent", census.silent),
        ("offered", census.offered),
        ("deferred", census.deferred),
        ("waiting", census.waiting),
        ("not reporting", census.not_reporting),
        ("past", census.past),
        ("unmeasured", census.excluded),
    ];
    let some: Vec<_> = all.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{n} {name}")).collect();
    if some.is_empty() { "; nobody".to_owned() } else { format!("; {}", some.join(", ")) }
}
