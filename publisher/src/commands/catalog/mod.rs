//! `publisher catalog`.

mod init;
mod publish;
mod refresh;
mod sign;

use clap::Subcommand;
use pdp_policies::At;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

use super::blocking;

#[derive(Debug, Subcommand)]
pub(crate) enum Catalog {
    /// Pushes the first catalog of a ceremony.
    Init(init::Args),
    /// Adds a signature to an open proposal, after showing what it changes.
    Sign(sign::Args),
    /// Merges all complete proposals, signs freshness and makes them visible.
    Publish(publish::Args),
    /// Signs freshness anew; changes nothing else. Runs hourly.
    Refresh(publish::Args),
}

pub(crate) async fn run(command: Catalog, format: Format, now: At) -> Result<u8> {
    match command {
        Catalog::Init(args) => blocking(move || init::run(&args, format, now)).await,
        Catalog::Sign(args) => blocking(move || sign::run(&args, format, now)).await,
        Catalog::Publish(args) => publish::run(args, format, now).await,
        Catalog::Refresh(args) => refresh::run(args, format, now).await,
    }
}
