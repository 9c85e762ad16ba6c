//! `publisher release`.

mod build;
mod bump;
mod diff;
mod disclose;
mod fetch;
mod images;
mod init;
mod keep;
mod lint;
mod list;
mod lock;
mod mirror;
mod places;
pub(super) mod promote;
mod proposed;
mod prune;
mod publish;
mod push;
mod resign;
mod show;
mod side;
mod sign;
mod signed;
mod verify;
mod vouched;
mod whole;
mod withdraw;

use clap::Subcommand;
use pdp_policies::At;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

use super::blocking;
pub(super) use places::{Nowhere, found, places};
pub(super) use publish::target;
pub(super) use signed::signatures;
pub(crate) use signed::{MAX_REFERRERS, RELEASE_SIGNATURES, named};
pub(crate) use vouched::tags;

#[derive(Debug, Subcommand)]
pub(crate) enum Release {
    /// Begins a level: a release.yaml made from that of an earlier one.
    Init(init::Args),
    /// Takes a newer chart of a component into a release.yaml, pinned, and shows what it brings.
    Bump(bump::Args),
    /// Finds everything that is wrong with a release.yaml, all at once.
    Lint(lint::Args),
    /// Renders every chart and writes what images it can fetch, with their digests, to release.lock.
    Lock(lock::Args),
    /// Builds the bundle as an OCI layout; the same bytes from any folder.
    Build(build::Args),
    /// Signs the bundle and each component, and statements about them (cosign v3 bundle format).
    Sign(sign::Args),
    /// Adds signatures of a new key to what lies in the registry, so that the old key can go.
    Resign(resign::Args),
    /// Pushes bundle, signatures and images, and proposes the release to the catalog.
    Publish(publish::Args),
    /// Checks a published release as a PDP would.
    Verify(verify::Args),
    /// Copies promoted levels into a customer's registry: bundle, signatures and images, byte for byte.
    Mirror(mirror::Args),
    /// Lists the levels of a line: what each is, and whether it is promoted or withdrawn.
    List(list::Args),
    /// Shows a release of the catalog, or a built one.
    Show(show::Args),
    /// Shows what another level changes: components, images, values, what it fixes, and whether the way back is whole.
    Diff(diff::Args),
    /// Writes what advisories of a signed level are about, once their embargo is over.
    Disclose(disclose::Args),
    /// Proposes to promote a release into its channel.
    Promote(promote::Args),
    /// Proposes that the catalog holds the descriptors of pruned levels no more.
    Prune(prune::Args),
    /// Lists what registries must keep for the catalog, and what a repository has beside that; deletes nothing.
    Keep(keep::Args),
    /// Proposes to withdraw a level: nobody starts it any more.
    Withdraw(withdraw::Args),
}

pub(crate) async fn run(command: Release, format: Format, now: At) -> Result<u8> {
    match command {
        Release::Init(args) => init::run(args, format, now).await,
        Release::Bump(args) => bump::run(&args, format).await,
        Release::Lint(args) => lint::run(&args, format, now).await,
        Release::Lock(args) => lock::run(args, format, now).await,
        Release::Build(args) => build::run(&args, format, now).await,
        Release::Sign(args) => sign::run(&args, format),
        Release::Resign(args) => resign::run(args, format, now).await,
        Release::Publish(args) => publish::run(args, format, now).await,
        Release::Verify(args) => verify::run(args, format, now).await,
        Release::Mirror(args) => mirror::run(args, format, now).await,
        Release::List(args) => list::run(args, format, now).await,
        Release::Show(args) => blocking(move || show::run(&args, format, now)).await,
        Release::Diff(args) => diff::run(args, format, now).await,
        Release::Disclose(args) => blocking(move || disclose::run(&args, format, now)).await,
        Release::Promote(args) => promote::run(args, format, now).await,
        Release::Prune(args) => blocking(move || prune::run(&args, format, now)).await,
        Release::Keep(args) => keep::run(args, format, now).await,
        Release::Withdraw(args) => blocking(move || withdraw::run(&args, format, now)).await,
    }
}
