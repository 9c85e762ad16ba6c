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
use pdp_transport::cli::output::{Format, print, say};
use pdp_transport::cli::{exit, log, reference};

use crate::connection::ConnectionArgs;

/// Verifies the vendor's releases and applies them within the customer's pins, windows and approvals.
#[derive(Debug, Parser)]
#[command(version = crate::zones::version(), name = "pdp-sync")]
struct Cli {
    /// How results are printed.
    #[arg(short, long, value_enum, default_value = "text", global = true)]
    output: Format,
    /// How logs are printed on stderr.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "text", global = true)]
    log_format: Format,
    #[command(subcommand)]
    command: Command,
}

/// The program `pdp-sync`, from its arguments to its exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    log::to_stderr(cli.log_format, "warn,pdp_sync=info");
    match run(cli.command, cli.output) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            say(&failure.to_string());
            ExitCode::from(failure.exit)
        }
    }
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
        Command::Reference => {
            print(Format::Text, &(), &reference::markdown(&Cli::command()))?;
            Ok(exit::DONE)
        }
    }
}
