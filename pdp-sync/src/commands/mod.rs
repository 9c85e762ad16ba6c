//! The commands; each lives in a file of its own and returns its exit code.

mod plan;
mod run;
mod status;

use std::path::PathBuf;

use clap::{CommandFactory, Subcommand};
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{Format, print};
use pdp_transport::cli::{exit, reference};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Follows the vendor: verifies, decides, writes. Safe to kill at any moment.
    Run(run::Args),
    /// Shows what would be written now; writes nothing. Exit code 1 if something would change.
    Plan(plan::Args),
    /// Shows where this data plane stands, and why it isn't further.
    Status(status::Args),
    /// Prints this reference as Markdown.
    #[command(hide = true)]
    Reference,
}

/// What every command needs to know.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// The subscription file.
    #[arg(long, env = "PDP_SYNC_SUBSCRIPTION", value_name = "FILE")]
    subscription: PathBuf,
    /// The folder that survives restarts.
    #[arg(long, env = "PDP_SYNC_STATE", value_name = "DIR")]
    state: PathBuf,
}

pub(crate) fn run(command: Command, format: Format) -> Result<u8> {
    match command {
        Command::Run(args) => run::run(&args, format),
        Command::Plan(args) => plan::run(&args, format),
        Command::Status(args) => status::run(&args, format),
        Command::Reference => {
            print(Format::Text, &(), &reference::markdown(&crate::Cli::command()))?;
            Ok(exit::DONE)
        }
    }
}
