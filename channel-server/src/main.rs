//! `channel-server`: rings, rollouts, assignments, reports. Start reading at `rollouts.rs`.

mod api;
mod catalog;
mod commands;
mod database;
mod event;
mod everything;
mod fleet;
mod following;
mod lease;
mod metrics;
mod news;
mod outage;
mod public_key;
mod refusals;
mod resting;
mod ring_state;
mod rollouts;
mod secret;
mod seen;
mod server;
mod shared_clock;
mod writer;

use std::process::ExitCode;

use clap::Parser;
use pdp_transport::cli::output::{Format, say};

/// Opens promoted levels ring by ring, and tells each data plane how far it may go.
#[derive(Debug, Parser)]
#[command(version, name = "channel-server")]
struct Cli {
    /// How results are printed.
    #[arg(short, long, value_enum, default_value = "text", global = true)]
    output: Format,
    /// How logs are printed on stderr.
    #[arg(long, value_enum, default_value = "json", global = true)]
    log_format: Format,
    #[command(subcommand)]
    command: commands::Command,
}

#[tokio::main(flavor = "multi_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    pdp_transport::cli::log::to_stderr(
        cli.log_format,
        "warn,channel_server=info,sqlx_postgres::options::pgpass=off",
    );
    match commands::run(cli.command, cli.output).await {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            say(&failure.to_string());
            ExitCode::from(failure.exit)
        }
    }
}
