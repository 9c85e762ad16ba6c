//! The commands; each lives in a file of its own and returns its exit code.

mod events;
mod restore;
mod serve;
mod token;

use std::path::PathBuf;

use clap::{CommandFactory, Subcommand};
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{Format, print};
use pdp_transport::cli::{exit, reference};

use crate::database::write_code;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves data planes and people until it is told to stop (SIGTERM, Ctrl-C).
    Serve(Box<serve::Args>),
    /// API tokens of people.
    #[command(subcommand)]
    Token(token::Token),
    /// Checks the event log's hash chain; exit code 1 names the first row that was tampered with.
    VerifyEvents(events::Args),
    /// Accepts a database from a backup that is behind what was published. Unused enrolment tokens become void.
    Restore(restore::Args),
    /// Prints this reference as Markdown.
    #[command(hide = true)]
    Reference,
}

/// Where the database is.
#[derive(Debug, clap::Args)]
pub(crate) struct DatabaseArgs {
    /// The SQLite file; made if it isn't there.
    #[arg(long, env = "CHANNEL_SERVER_DATABASE", value_name = "FILE")]
    pub(crate) database: PathBuf,
}

pub(crate) async fn run(command: Command, format: Format) -> Result<u8> {
    match command {
        Command::Serve(args) => serve::run(*args).await,
        Command::Token(command) => token::run(command, format).await,
        Command::VerifyEvents(args) => events::run(&args, format).await,
        Command::Restore(args) => restore::run(&args, format).await,
        Command::Reference => {
            print(Format::Text, &(), &reference::markdown(&crate::Cli::command()))?;
            Ok(exit::DONE)
        }
    }
}

/// A statement that failed at the command line.
pub(crate) fn failed(error: &sqlx::Error) -> Failure {
    Failure::new(write_code(error), "the database refused").cause(error)
}
