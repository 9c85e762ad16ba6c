//! `pdp-sync`: the customer's side. Start reading at `reconcile.rs`.

mod apply;
mod commands;
mod fault;
mod fetch;
mod identity;
mod instruct;
mod preflight;
mod probe;
mod reconcile;
mod render;
mod report;
mod state;
mod status;
mod subscription;
mod target;
mod time;

use std::process::ExitCode;

use clap::Parser;
use pdp_transport::cli::output::{Format, say};

/// Verifies the vendor's releases and applies them within the customer's pins, windows and approvals.
#[derive(Debug, Parser)]
#[command(version, name = "pdp-sync")]
struct Cli {
    /// How results are printed.
    #[arg(short, long, value_enum, default_value = "text", global = true)]
    output: Format,
    /// How logs are printed on stderr.
    #[arg(long, value_enum, default_value = "text", global = true)]
    log_format: Format,
    #[command(subcommand)]
    command: commands::Command,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    pdp_transport::cli::log::to_stderr(cli.log_format, "warn,pdp_sync=info");
    match commands::run(cli.command, cli.output) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            say(&failure.to_string());
            ExitCode::from(failure.exit)
        }
    }
}
