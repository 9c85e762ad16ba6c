//! `kubectl pdp trust`: what this data plane has seen, and the way out when that was lost or wrong.

mod reset;
mod show;

use clap::Subcommand;
use pdp_transport::cli::failure::Result;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Shows the pinned root, the newest versions that were seen, and who this data plane is to the server.
    Show(show::Args),
    /// Forgets everything that was seen and starts again from a root. Dangerous: old catalogs could be served.
    Reset(reset::Args),
}

pub(super) async fn run(command: Command) -> Result<u8> {
    match command {
        Command::Show(args) => show::run(&args).await,
        Command::Reset(args) => reset::run(&args).await,
    }
}
