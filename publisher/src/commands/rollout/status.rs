//! `publisher rollout status`.

use std::io::IsTerminal;
use std::time::Duration;

use pdp_policies::rollout::{Cause, Phase};
use pdp_policies::{Level, Line};
use pdp_transport::channel_server::{HaltView, RingStatus, RingView, RolloutView};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format, say};

use super::bars::Bars;
use super::scope::words;
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

/// What holds it, then one line per ring: where it stands, what its data planes do, what comes next.
pub(super) fn text(view: &RolloutView) -> String {
    let braked = view.braked.as_ref().map_or_else(String::new, |code| format!("  ✗ {code}: nothing starts"));
    let attempt = if view.attempt > 1 { format!(", attempt {}", view.attempt) } else { String::new() };
    let mut lines = vec![format!("level {} of {}, {:?}{attempt}{braked}", view.level, view.line, view.tempo)];
    lines.extend(view.paused.map(|at| format!("  ✗ held by people since {at}; `rollout resume` ends it")));
    lines.extend(view.halts.iter().map(halted));
    lines.extend(view.rings.iter().map(ring));
    lines.join("\n")
}

fn ring(ring: &RingView) -> String {
    let (sign, state) = match ring.status {
        RingStatus::Waiting => {
            let when = ring.opens_at.map_or_else(String::new, |at| format!(", not before {at}"));
            ("·", format!("waits{when}"))
        }
        RingStatus::Open => {
            let cap = ring.cap.map_or_else(String::new, |cap| format!(", {} of {cap} starts", ring.starts));
            let soak = ring.soaked_at.map_or_else(String::new, |at| format!(", soaks until {at}"));
            ("◎", format!("wave {} of {}{cap}{soak}", ring.wave, ring.waves))
        }
        RingStatus::Passed => ("✔", "passed".to_owned()),
    };
    let sign = if ring.phase == Phase::Halted { "✗" } else { sign };
    let eligible = ring.census.eligible();
    let budget = match ring.failures {
        0 => String::new(),
        failures => format!(", {failures} of {eligible} failed (budget {})", ring.budget),
    };
    format!("  {sign} {:12} {state}{budget}{}", ring.ring.as_str(), counts(&ring.census))
}

fn halted(halt: &HaltView) -> String {
    let HaltView { scope, at, cause, resume_asked } = halt;
    let why = match cause {
        Cause::FailureBudget { failures, eligible, budget } => {
            format!("{failures} of {eligible} failed or fell silent, the budget is {budget}")
        }
        Cause::OrganizationFailures { ring, failures, allowed } => {
            format!("{failures} of its data planes failed in ring `{ring}`, {allowed} may")
        }
        Cause::Organizations { halted } => format!("{halted} organizations were halted by their failures"),
        Cause::Person { by, reason } => format!("{by}: {reason}"),
    };
    let next = match resume_asked {
        Some(by) => format!("{by} asked to resume, a second person is needed"),
        None => "`rollout resume` takes two people".to_owned(),
    };
    format!("  ✗ {} halted since {at}: {why}; {next}", words(scope))
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
