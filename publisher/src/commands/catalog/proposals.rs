//! `publisher catalog proposals`: what lies open, what it would change, and away with it.

use clap::Subcommand;
use pdp_policies::trust::Role;
use pdp_policies::{At, Organization, printable};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format};
use serde_json::json;

use crate::catalog::{CatalogArgs, ChangeArgs, Current, Proposal, pending};

#[derive(Debug, Subcommand)]
pub(crate) enum Proposals {
    /// Lists all open proposals and what each one waits for.
    List(ListArgs),
    /// Shows what a proposal changes, and the digest that `catalog sign --expect` takes.
    Show(ShowArgs),
    /// Deletes a proposal and the signatures on it. The catalog isn't touched.
    Drop(DropArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    catalog: CatalogArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The proposal's branch, such as `proposals/channels-7`.
    proposal: String,
    #[command(flatten)]
    catalog: CatalogArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DropArgs {
    /// The proposal's branch, such as `proposals/channels-7`.
    proposal: String,
    #[command(flatten)]
    catalog: ChangeArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    of: Args,
    /// A customer to look for in the audience of a hotfix, which names nobody; may be given more than once.
    #[arg(long = "organization", value_name = "NAME")]
    organizations: Vec<Organization>,
}

pub(crate) fn run(command: &Proposals, format: Format, now: At) -> Result<u8> {
    match command {
        Proposals::List(args) => list(args, format, now),
        Proposals::Show(args) => show(args, format, now),
        Proposals::Drop(args) => drop_one(args, format, now),
    }
}

fn list(args: &ListArgs, format: Format, now: At) -> Result<u8> {
    let current = Current::fetch(&args.catalog, now)?;
    let all = pending(&current)?;
    let lines = all.iter().map(|it| match &it.obstacle {
        None => format!("✔ {}: `publisher catalog publish` makes it visible", printable(&it.branch)),
        Some(why) => format!("◎ {}: {}", printable(&it.branch), printable(why)),
    });
    let text = match all.is_empty() {
        true => "no open proposals".to_owned(),
        false => lines.collect::<Vec<_>>().join("\n"),
    };
    let row = |it: &crate::catalog::Pending| json!({ "branch": it.branch, "role": it.role.map(Role::name), "waitsFor": it.obstacle, "stops": it.brake });
    output::list(format, &all.iter().map(row).collect::<Vec<_>>(), all.iter().map(|it| &it.branch), &text)?;
    Ok(exit::DONE)
}

fn show(args: &ShowArgs, format: Format, now: At) -> Result<u8> {
    let ShowArgs { of: args, organizations } = args;
    let current = Current::fetch(&args.catalog, now)?;
    let proposal = Proposal::read(&current, &args.proposal, organizations)?;
    let value = json!({
        "branch": args.proposal, "digest": proposal.digest, "signatures": proposal.signatures(),
        "words": proposal.words, "changes": proposal.changes,
    });
    output::list(format, &value, [&args.proposal], &proposal.shown())?;
    Ok(exit::DONE)
}

fn drop_one(args: &DropArgs, format: Format, now: At) -> Result<u8> {
    let current = Current::fetch(&args.catalog, now)?;
    let all = pending(&current)?;
    let found = all.iter().find(|it| it.branch == args.proposal).ok_or_else(|| {
        Failure::new("NotFound", format!("no proposal `{}`", args.proposal))
            .hint("`publisher catalog proposals list` shows all")
    })?;
    if found.role == Some(Role::Root) && found.obstacle.is_none() {
        return Err(Failure::new("SignedRoot", format!("`{}` is signed by enough", found.branch))
            .cause("a root that enough have signed can't be taken back: data planes that saw it refuse any other of its number")
            .hint("publish it, then propose the next one"));
    }
    args.catalog.push(&current.remote, &found.branch, Some(found.commit), None)?;
    let verb = if args.catalog.dry.is_on() { "would be" } else { "is" };
    let text = format!("✔ `{}` {verb} deleted; the catalog is as it was", found.branch);
    output::print(format, &json!({ "dropped": found.branch }), &text)?;
    Ok(exit::DONE)
}
