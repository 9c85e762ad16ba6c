//! `publisher catalog`.

mod init;
mod key_list;
mod online;
mod proposals;
mod publish;
mod redate;
mod refresh;
mod renew;
mod sign;

use clap::Subcommand;
use pdp_policies::At;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

use super::blocking;
use online::OnlineArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum Catalog {
    /// Pushes the first catalog of a ceremony.
    Init(init::Args),
    /// Open proposals: list, show, drop.
    #[command(subcommand)]
    Proposals(proposals::Proposals),
    /// Shows what an open proposal changes, asks, and adds a signature.
    Sign(sign::Args),
    /// The director's keys: who may open levels and grant starts.
    #[command(subcommand)]
    Director(key_list::Director),
    /// The artifact keys: who vouches for what lies in registries.
    #[command(subcommand)]
    Artifact(key_list::Artifact),
    /// Proposes that roles of people live on: the same content, one version on, with a new end.
    Renew(renew::Args),
    /// Merges all complete proposals, signs freshness and makes them visible.
    Publish(publish::Args),
    /// Signs freshness anew; changes nothing else. Runs hourly.
    Refresh(OnlineArgs),
    /// Signs the right time over a catalog that a wrong clock dated ahead; takes two people.
    Redate(OnlineArgs),
}

pub(crate) async fn run(command: Catalog, format: Format, now: At) -> Result<u8> {
    match command {
        Catalog::Init(args) => blocking(move || init::run(&args, format, now)).await,
        Catalog::Proposals(command) => blocking(move || proposals::run(&command, format, now)).await,
        Catalog::Sign(args) => blocking(move || sign::run(&args, format, now)).await,
        Catalog::Director(command) => key_list::director(command, format, now).await,
        Catalog::Artifact(command) => key_list::artifact(command, format, now).await,
        Catalog::Renew(args) => blocking(move || renew::run(&args, format, now)).await,
        Catalog::Publish(args) => publish::run(args, format, now).await,
        Catalog::Refresh(args) => refresh::run(args, format, now).await,
        Catalog::Redate(args) => redate::run(args, format, now).await,
    }
}
