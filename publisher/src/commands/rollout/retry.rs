//! `publisher rollout retry`.

use pdp_policies::rollout::Command;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

use super::order::Order;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    order: Order,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let command = Command::Retry {};
    args.order
        .give(command, &format!("level {} may start again where it failed", args.order.level), format)
        .await
}
