//! The commands; each lives in a file of its own and returns its exit code.

mod events;
mod restore;
mod serve;
mod token;

use clap::{CommandFactory, Subcommand};
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{Format, print};
use pdp_transport::cli::{exit, reference};

use crate::database::{Database, Place, write_code};

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
    /// SQLite's file, made if it isn't there, or `postgres://user@host/name` for several servers. Give a password as
    /// PGPASSWORD or in ~/.pgpass.
    // Not parsed by clap, whose errors would repeat an address with its password.
    #[arg(long, env = "CHANNEL_SERVER_DATABASE", hide_env_values = true, value_name = "FILE|ADDRESS")]
    database: String,
}

impl DatabaseArgs {
    pub(crate) fn place(&self) -> Result<Place> {
        Place::parse(&self.database)
    }

    /// Opens the database for a command that changes nothing.
    pub(crate) async fn open_to_read(&self) -> Result<Database> {
        Database::open_to_read(&self.place()?).await
    }

    /// Opens the database for one command.
    pub(crate) async fn open(&self) -> Result<Database> {
        Database::open(&self.place()?).await
    }
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
