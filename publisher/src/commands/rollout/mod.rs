//! `publisher rollout`: how far each level has come.

mod acknowledge;
mod bars;
mod list;
mod status;

use clap::Subcommand;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

#[derive(Debug, Subcommand)]
pub(crate) enum Rollout {
    /// Lists rollouts, newest first.
    List(list::Args),
    /// Shows one rollout ring by ring; `--watch` stays and follows it.
    Status(status::Args),
    /// Passes a wave that has nobody to prove it.
    Acknowledge(acknowledge::Args),
}

pub(crate) async fn run(command: Rollout, format: Format) -> Result<u8> {
    match command {
        Rollout::List(args) => list::run(&args, format).await,
        Rollout::Status(args) => status::run(&args, format).await,
        Rollout::Acknowledge(args) => acknowledge::run(&args, format).await,
    }
}
