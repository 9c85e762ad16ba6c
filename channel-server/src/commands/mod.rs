//! The commands; each lives in a file of its own and returns its exit code.

mod events;
mod restore;
mod serve;
mod token;

use clap::{CommandFactory, Subcommand};
use pdp_transport::cli::explain;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::Format;
use pdp_transport::cli::shell::{self, Shell};

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
    /// Says what a code of an error or answer means, what usually brings it about, and what to do next.
    Explain(explain::Args),
    #[command(flatten)]
    Shell(Shell),
}

/// What has names for `-o name`.
pub(crate) const NAMED: &[&str] = &["explain", "token list"];

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
        Command::Explain(args) => explain::run(&args, format),
        Command::Shell(command) => shell::run(&command, &crate::Cli::command(), "channel-server", format),
    }
}

/// A statement that failed at the command line.
pub(crate) fn failed(error: &sqlx::Error) -> Failure {
    Failure::new(write_code(error), "the database refused").cause(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_names_is_a_command() {
        let root = crate::Cli::command();
        assert_eq!(pdp_transport::cli::start::strangers(&root, NAMED), [""; 0]);
    }
}
