//! `publisher rollout status`.

mod bars;
mod holds;
mod left;
mod lines;
mod ring;
mod until;
mod watch;

use pdp_policies::{Level, Line};
use pdp_transport::channel_server::RolloutView;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};

use crate::server::ServerArgs;
use holds::holds;
use left::When;
use until::Until;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The level.
    level: Level,
    /// The release line.
    #[arg(long)]
    line: Line,
    /// Stay and follow it: bars on a terminal, a line per change otherwise. Ends with 0 when all rings have passed,
    /// and with 3 as `--until` says.
    #[arg(long)]
    watch: bool,
    /// How long to watch.
    #[arg(long, value_enum, default_value_t = Until::Passed, requires = "watch")]
    until: Until,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let (desk, path) = (args.server.open()?, format!("v1/rollouts/{}/{}", args.line, args.level));
    let (view, end) = match args.watch {
        true => watch::watch(&desk, &path, args.until).await?,
        false => (desk.get(&path).await?, None),
    };
    output::print(format, &view, &text(&view))?;
    if let Some(why) = &end {
        output::say(&format!("✗ level {} of {} can't go on by itself: {why}", view.level, view.line));
    }
    Ok(if end.is_some() { exit::HELD } else { exit::DONE })
}

/// What holds it and what ends that, then ring by ring: where it stands, what comes next, what its data planes do.
pub(super) fn text(view: &RolloutView) -> String {
    let mut lines = vec![format!("{}, as of {}", title(view), view.now)];
    for hold in holds(view) {
        lines.push(format!("  ✗ {}", hold.what));
        lines.push(format!("    {}", hold.next));
    }
    for (place, ring) in view.rings.iter().enumerate() {
        let state = ring::state(ring, place, When::Left(view.now));
        lines.push(format!("  {} {:12} {state}", ring::sign(ring), ring.ring.as_str()));
        lines.extend(ring::census(ring).map(|census| format!("{:17}{census}", "")));
        lines.extend(ring::failing(ring).map(|failing| format!("{:17}{failing}", "")));
        lines.extend(ring::next(view, ring).map(|next| format!("{:17}{next}", "")));
    }
    lines.join("\n")
}

fn title(view: &RolloutView) -> String {
    let attempt = if view.attempt > 1 { format!(", attempt {}", view.attempt) } else { String::new() };
    format!("level {} of {}, {}{attempt}", view.level, view.line, view.tempo.as_str())
}

#[cfg(test)]
mod tests;
