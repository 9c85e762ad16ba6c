//! `publisher`: the release engineers' tool. One file per command under `commands/`.

mod advisories;
mod applied;
mod build;
mod catalog;
mod ceremony;
mod charts;
mod commands;
mod connection;
mod crd_change;
mod diff;
mod doctor;
mod draft;
mod dry_run;
mod exposure;
mod images;
mod keys;
mod kubernetes_list;
mod kustomize;
mod lint;
mod lock;
mod mirror;
mod plan_file;
mod progress;
mod release_edit;
mod release_file;
mod retention;
mod server;
mod several;
mod signature;
mod statements;
mod yaml_file;

use std::process::ExitCode;

use clap::Parser;
use pdp_transport::cli::output::Format;
use pdp_transport::cli::{clock, start};

use commands::Command;

/// Builds, signs and publishes releases of private data planes, and keeps their catalog.
#[derive(Debug, Parser)]
#[command(
    version,
    name = "publisher",
    after_help = "Exit codes: `publisher exit-codes`. What a code of an error means: `publisher explain CODE`"
)]
struct Cli {
    /// How results are printed.
    #[arg(short, long, value_enum, default_value = "table", global = true)]
    output: Format,
    #[command(subcommand)]
    command: Command,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    match start::parse::<Cli>(commands::NAMED) {
        Ok((cli, format)) => start::end(format, commands::run(cli.command, cli.output, clock::now()).await),
        Err(done) => done,
    }
}
