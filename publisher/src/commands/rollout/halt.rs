//! `publisher rollout halt`.

use pdp_policies::rollout::{Command, HaltScope};
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

use super::order::Order;
use super::scope::{Scope, words};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    order: Order,
    #[command(flatten)]
    scope: Scope,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let scope = args.scope.named().unwrap_or(HaltScope::Rollout {});
    let done = format!(
        "{} is halted for level {}: nothing starts until two people resume; what runs is left alone",
        words(&scope),
        args.order.level
    );
    args.order.give(Command::Halt { scope }, &done, format).await
}
