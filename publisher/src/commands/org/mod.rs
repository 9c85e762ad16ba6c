//! `publisher org`: which customer is in which ring.

mod list;
mod set;

use clap::Subcommand;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

#[derive(Debug, Subcommand)]
pub(crate) enum Org {
    /// Adds an organization with its ring.
    Add(set::Args),
    /// Lists organizations, their rings and how many data planes each has.
    List(list::Args),
    /// Moves an organization to another ring.
    Ring(set::Args),
}

pub(crate) async fn run(command: Org, format: Format) -> Result<u8> {
    match command {
        Org::Add(args) => set::run(&args, set::Wanted::New, format).await,
        Org::Ring(args) => set::run(&args, set::Wanted::Known, format).await,
        Org::List(args) => list::run(&args, format).await,
    }
}
