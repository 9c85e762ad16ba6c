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
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::Format;

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

/// The channels as the signed proposals of their next version have them, none if there is none: two people who pull the
/// same brake don't do it in the same second.
pub(super) fn proposed(current: &Current) -> Vec<Document> {
    let open = catalog::laid_next(current, Role::Channels).unwrap_or_default();
    // Whoever may push a branch could date one as they like.
    open.iter().filter(|it| it.is_signed(current)).flat_map(catalog::Laid::channels).collect()
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
