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
use pdp_transport::cli::log::{LogFormat, to_stderr};
use pdp_transport::cli::output::Format;
use pdp_transport::cli::start;

/// Opens promoted levels ring by ring, and tells each data plane how far it may go.
#[derive(Debug, Parser)]
#[command(version, name = "channel-server")]
struct Cli {
    /// How results are printed.
    #[arg(short, long, value_enum, default_value = "table", global = true)]
    output: Format,
    /// How logs are printed on stderr.
    #[arg(long, value_enum, default_value = "json", global = true)]
    log_format: LogFormat,
    #[command(subcommand)]
    command: commands::Command,
}

#[tokio::main(flavor = "multi_thread")]
async fn main() -> ExitCode {
    let (cli, format) = match start::parse::<Cli>(commands::NAMED) {
        Ok(parsed) => parsed,
        Err(done) => return done,
    };
    to_stderr(cli.log_format, "warn,channel_server=info,sqlx_postgres::options::pgpass=off");
    start::end(format, commands::run(cli.command, cli.output).await)
}
