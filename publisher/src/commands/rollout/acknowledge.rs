//! `publisher rollout acknowledge`.

use pdp_policies::{Level, Line, Ring};
use pdp_transport::channel_server::{Acknowledgement, RolloutView};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};

use crate::server::ServerArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The level.
    level: Level,
    /// The release line.
    #[arg(long)]
    line: Line,
    /// The ring.
    #[arg(long)]
    ring: Ring,
    /// The current wave, first is 1.
    #[arg(long)]
    wave: usize,
    /// Why, for the event log.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let body = Acknowledgement { ring: args.ring.clone(), wave: args.wave, reason: args.reason.clone() };
    let path = format!("v1/rollouts/{}/{}/acknowledgements", args.line, args.level);
    let view: RolloutView = args.server.open()?.post(&path, &body).await?;
    let text = format!("✔ wave {} of ring `{}` is passed for level {}", args.wave, args.ring, args.level);
    output::print(format, &view, &text)?;
    Ok(exit::DONE)
}
