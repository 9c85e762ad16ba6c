//! `publisher channel`.

mod moved;
mod open;
mod plan;
mod prune;
mod show;
mod stop;

use std::collections::BTreeMap;

use clap::Subcommand;
use pdp_policies::trust::Role;
use pdp_policies::{At, Channel as Document, Line, document};
use pdp_transport::catalog::from_git;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::Format;

use crate::catalog::role::RoleFile;
use crate::catalog::{self, ChangeArgs, Current, Other, Proposed, endings, tell};
use crate::commands::blocking;
use crate::keys::SigningKey;

#[derive(Debug, Subcommand)]
pub(crate) enum Channel {
    /// Shows what is promoted, opened, withdrawn and stopped.
    Show(show::Args),
    /// Proposes the successor of an address of yours: data planes follow it once two people signed.
    Move(moved::Args),
    /// Proposes to open a level to shares of rings: the vendor's door without the server.
    Open(open::Args),
    /// Proposes another ring plan: rings, waves, shares, soaks, budgets, tempos.
    Plan(plan::Args),
    /// Proposes that levels which nobody can need leave the channel; says of each other one why it stays.
    Prune(prune::Args),
    /// Proposes the brake (or to release it): while it stands, nothing of the line starts anywhere.
    Stop(stop::Args),
}

pub(crate) async fn run(command: Channel, format: Format, now: At) -> Result<u8> {
    match command {
        Channel::Show(args) => blocking(move || show::run(&args, format, now)).await,
        Channel::Move(args) => blocking(move || moved::run(&args, format, now)).await,
        Channel::Open(args) => blocking(move || open::run(&args, format, now)).await,
        Channel::Plan(args) => blocking(move || plan::run(&args, format, now)).await,
        Channel::Prune(args) => prune::run(args, format, now).await,
        Channel::Stop(args) => blocking(move || stop::run(&args, format, now)).await,
    }
}

/// The channels as the open proposal of their next version has them, none if there is none: two people who pull the
/// same brake don't do it in the same second.
pub(super) fn proposed(current: &Current) -> Vec<Document> {
    let branch = catalog::branch_of(Role::Channels, current.catalog.versions().channels + 1);
    let Ok(Some((_, tree))) = from_git(&current.remote, &branch) else { return Vec::new() };
    let Ok(role) = RoleFile::read(&tree, Role::Channels) else { return Vec::new() };
    let listed =
        |path: &str, bytes: &[u8]| path.strip_prefix("targets/").is_some_and(|name| role.lists(name, bytes));
    let files = tree.iter().filter(|(path, bytes)| listed(path, bytes));
    files.filter_map(|(path, bytes)| Document::read(path, bytes).ok()).collect()
}

/// What becomes of an open proposal when a brake is pulled: another brake stays, or two people who stop different things
/// would take each other's signatures for ever.
pub(super) fn overtaken_by_a_brake(current: &Current, open: &[Document]) -> Other {
    let brakes = |open: &Document| {
        let Some(now) = current.catalog.channel(&open.line) else { return false };
        let withdrawn = open.withdrawn.keys().any(|level| !now.withdrawn.contains_key(level));
        (open.stop.is_some() && now.stop.is_none()) || withdrawn
    };
    if open.iter().any(brakes) { Other::Stays } else { Other::IsOvertaken }
}

/// The channel to change, as the catalog holds it now.
pub(super) fn current(current: &Current, line: &Line) -> Result<Document> {
    let channel = current.catalog.channel(line).cloned();
    channel.ok_or_else(|| {
        Failure::new("NotFound", format!("the catalog has no channel of line `{line}`"))
            .hint("`publisher key ceremony --line` makes one")
    })
}

/// Proposes a channel; it must be whole. Says which roles end soon.
pub(super) fn propose(
    current: &Current,
    args: &ChangeArgs,
    channel: &Document,
    other: Other,
    keys: &[SigningKey],
    now: At,
) -> Result<Proposed> {
    tell(&endings(&current.catalog, now));
    if let Some(problem) = channel.problems().into_iter().next() {
        return Err(Failure::new("BadChannel", problem));
    }
    let bytes = document::write(channel).map_err(internal)?;
    let targets = BTreeMap::from([(Document::target_name(&channel.line), Some(bytes))]);
    catalog::propose(current, args, Role::Channels, &targets, other, keys, now)
}
