//! All commands; each lives in a file of its own and returns its exit code.

mod catalog;
mod channel;
mod key;
mod org;
mod pdp;
pub(crate) mod release;
mod rollout;

use clap::{CommandFactory, Subcommand};
use pdp_policies::At;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};
use pdp_transport::cli::reference;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Keys and the first trust.
    #[command(subcommand)]
    Key(key::Key),
    /// Releases: from a folder to what PDPs may take.
    #[command(subcommand)]
    Release(release::Release),
    /// The channel: what is promoted, opened, stopped.
    #[command(subcommand)]
    Channel(channel::Channel),
    /// The catalog: merge proposals, keep it fresh.
    #[command(subcommand)]
    Catalog(catalog::Catalog),
    /// Organizations and their rings (channel server).
    #[command(subcommand)]
    Org(org::Org),
    /// Data planes (channel server).
    #[command(subcommand)]
    Pdp(pdp::Pdp),
    /// Rollouts (channel server).
    #[command(subcommand)]
    Rollout(rollout::Rollout),
    /// Prints the exit codes.
    ExitCodes,
    /// Prints this reference as Markdown.
    #[command(hide = true)]
    Reference,
}

pub(crate) async fn run(command: Command, format: Format, now: At) -> Result<u8> {
    match command {
        Command::Key(command) => key::run(command, format, now),
        Command::Release(command) => release::run(command, format, now).await,
        Command::Channel(command) => channel::run(command, format, now).await,
        Command::Catalog(command) => catalog::run(command, format, now).await,
        Command::Org(command) => org::run(command, format).await,
        Command::Pdp(command) => pdp::run(command, format).await,
        Command::Rollout(command) => rollout::run(command, format).await,
        Command::ExitCodes => exit_codes(format),
        Command::Reference => {
            output::print(Format::Text, &(), &reference::markdown(&crate::Cli::command()))?;
            Ok(exit::DONE)
        }
    }
}

/// Git blocks; the runtime's own threads must not.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(pdp_transport::cli::failure::internal)?
}

fn exit_codes(format: Format) -> Result<u8> {
    let lines: Vec<_> = exit::TABLE.iter().map(|(code, meaning)| format!("{code:>3}  {meaning}")).collect();
    output::print(format, &exit::TABLE, &lines.join("\n"))?;
    Ok(exit::DONE)
}
