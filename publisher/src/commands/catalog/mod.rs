//! `publisher catalog`.

mod init;
mod key_list;
mod keys;
mod online;
mod person;
mod proposals;
mod publish;
mod redate;
mod refresh;
mod renew;
mod role_keys;
mod sign;

use clap::Subcommand;
use pdp_policies::At;
use pdp_policies::trust::Role;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

use super::blocking;
use online::OnlineArgs;
use role_keys::RoleKeys;

#[derive(Debug, Subcommand)]
pub(crate) enum Catalog {
    /// Pushes the first catalog of a ceremony.
    Init(init::Args),
    /// Shows who holds which role, which keys direct and vouch, and when each role ends.
    Keys(keys::Args),
    /// The root's holders: rotate, add-key, remove-key, threshold. Its present holders and the next ones sign.
    #[command(subcommand)]
    Root(RoleKeys),
    /// The holders of `targets`; holders of the root sign.
    #[command(subcommand)]
    Targets(RoleKeys),
    /// The holders of `releases`; holders of targets sign.
    #[command(subcommand)]
    Releases(RoleKeys),
    /// The holders of `channels`; holders of targets sign.
    #[command(subcommand)]
    Channels(RoleKeys),
    /// The keys of `snapshot`; holders of the root sign.
    #[command(subcommand)]
    Snapshot(RoleKeys),
    /// The keys of `timestamp`; holders of the root sign.
    #[command(subcommand)]
    Timestamp(RoleKeys),
    /// A person in all roles.
    #[command(subcommand)]
    Person(person::Person),
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
    /// The statement keys: who signs SBOMs and VEX documents about what lies in registries.
    #[command(subcommand)]
    Statement(key_list::Statement),
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
        Catalog::Keys(args) => blocking(move || keys::run(&args, format, now)).await,
        Catalog::Root(command) => holders(Role::Root, command, format, now).await,
        Catalog::Targets(command) => holders(Role::Targets, command, format, now).await,
        Catalog::Releases(command) => holders(Role::Releases, command, format, now).await,
        Catalog::Channels(command) => holders(Role::Channels, command, format, now).await,
        Catalog::Snapshot(command) => holders(Role::Snapshot, command, format, now).await,
        Catalog::Timestamp(command) => holders(Role::Timestamp, command, format, now).await,
        Catalog::Person(command) => blocking(move || person::run(&command, format, now)).await,
        Catalog::Proposals(command) => blocking(move || proposals::run(&command, format, now)).await,
        Catalog::Sign(args) => blocking(move || sign::run(&args, format, now)).await,
        Catalog::Director(command) => key_list::director(command, format, now).await,
        Catalog::Artifact(command) => key_list::artifact(command, format, now).await,
        Catalog::Statement(command) => key_list::statement(command, format, now).await,
        Catalog::Renew(args) => blocking(move || renew::run(&args, format, now)).await,
        Catalog::Publish(args) => publish::run(args, format, now).await,
        Catalog::Refresh(args) => refresh::run(args, format, now).await,
        Catalog::Redate(args) => redate::run(args, format, now).await,
    }
}

async fn holders(role: Role, command: RoleKeys, format: Format, now: At) -> Result<u8> {
    blocking(move || role_keys::run(role, &command, format, now)).await
}
