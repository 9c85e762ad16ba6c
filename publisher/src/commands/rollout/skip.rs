//! `publisher rollout skip`.

use pdp_policies::rollout::Command;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

use super::order::Order;
use crate::commands::pdp::Named;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    order: Order,
    /// The data plane, `<organization>/<name>`.
    #[arg(long)]
    pdp: Named,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let command = Command::Skip { pdp: args.pdp.0.clone() };
    args.order
        .give(command, &format!("{} is left out of level {}", args.pdp.0, args.order.level), format)
        .await
}
