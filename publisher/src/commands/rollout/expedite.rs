//! `publisher rollout expedite`.

use pdp_policies::Ring;
use pdp_policies::rollout::Command;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

use super::order::Order;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    order: Order,
    /// The ring.
    #[arg(long)]
    ring: Ring,
    /// The current wave, first is 1.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    wave: u16,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let wave = usize::from(args.wave) - 1;
    let command = Command::Expedite { ring: args.ring.clone(), wave };
    args.order
        .give(command, &format!("the soak of wave {} of ring `{}` ends", args.wave, args.ring), format)
        .await
}
