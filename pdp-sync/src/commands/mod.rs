//! The commands; each lives in a file of its own and returns its exit code.

mod controller;
mod crds;
mod plan;
mod report;
mod run;
mod status;
mod when;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::log::LogFormat;
use pdp_transport::cli::output::Format;
use pdp_transport::cli::shell::{self, Shell};
use pdp_transport::cli::{explain, log, start};

use crate::connection::ConnectionArgs;

/// Verifies the vendor's releases and applies them within the customer's pins, windows and approvals.
#[derive(Debug, Parser)]
#[command(version = crate::zones::version(), name = "pdp-sync")]
struct Cli {
    /// How results are printed.
    #[arg(short, long, value_enum, default_value = "table", global = true)]
    output: Format,
    /// How logs are printed on stderr.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "text", global = true)]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

/// The program `pdp-sync`, from its arguments to its exit code.
pub fn main() -> ExitCode {
    let (cli, format) = match start::parse::<Cli>(NAMED) {
        Ok(parsed) => parsed,
        Err(done) => return done,
    };
    log::to_stderr(cli.log_format, "warn,pdp_sync=info");
    start::end(format, run(cli.command, cli.output))
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Follows the vendor: verifies, decides, writes. Safe to kill at any moment.
    Run(run::Args),
    /// Shows what would be written now; writes nothing. Exit code 1 if something would change.
    Plan(plan::Args),
    /// Shows where this data plane stands, and why it isn't further.
    Status(status::Args),
    /// Plays windows, freezes, ages, approvals and the vendor's earliest times forward: when levels can start.
    When(when::Args),
    /// Prints this data plane's last report, for those that wait for it and aren't told by a server.
    Report(report::Args),
    /// Keeps the UpdateSubscriptions of one namespace, with Flux.
    Controller(controller::Args),
    /// Prints the definitions of its custom resources (YAML).
    Crds,
    /// Says what a code means, what usually brings it about, and what to do next.
    Explain(explain::Args),
    #[command(flatten)]
    Shell(Shell),
}

/// What has names for `-o name`.
const NAMED: &[&str] = &["explain"];

/// What every command needs to know.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// The subscription file.
    #[arg(long, env = "PDP_SYNC_SUBSCRIPTION", value_name = "FILE")]
    subscription: PathBuf,
    /// The folder that survives restarts.
    #[arg(long, env = "PDP_SYNC_STATE", value_name = "DIR")]
    state: PathBuf,
    #[command(flatten)]
    connection: ConnectionArgs,
}

fn run(command: Command, format: Format) -> Result<u8> {
    match command {
        Command::Run(args) => run::run(&args, format),
        Command::Plan(args) => plan::run(&args, format),
        Command::Status(args) => status::run(&args, format),
        Command::When(args) => when::run(&args, format),
        Command::Report(args) => report::run(&args, format),
        Command::Controller(args) => controller::run(args),
        Command::Crds => crds::run(),
        Command::Explain(args) => explain::run(&args, format),
        Command::Shell(command) => shell::run(&command, &Cli::command(), "pdp-sync", format),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_names_is_a_command() {
        assert_eq!(start::strangers(&Cli::command(), NAMED), [""; 0]);
    }
}
