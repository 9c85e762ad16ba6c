//! `publisher catalog sign`: a second person looks at a proposal and signs it.

use pdp_policies::{At, CatalogTree};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format, say};
use serde_json::json;

use crate::catalog::{CatalogArgs, Current, sign_proposal};
use crate::keys::KeyArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The proposal's branch, such as `proposals/channels-7`.
    proposal: String,
    #[command(flatten)]
    catalog: CatalogArgs,
    #[command(flatten)]
    keys: KeyArgs,
}

pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let keys = args.keys.unlock()?;
    let current = Current::fetch(&args.catalog, now)?;
    let (proposed, tree) = sign_proposal(&current, &args.catalog.git, &args.proposal, &keys, now)?;
    for line in changes(&current.tree, &tree) {
        say(&line);
    }
    let value =
        json!({ "branch": proposed.branch, "signatures": proposed.signatures, "missing": proposed.missing });
    output::print(format, &value, &format!("✔ {proposed}"))?;
    Ok(exit::DONE)
}

/// Lines that the proposal adds to or takes from the targets, so that nobody signs blindly.
fn changes(before: &CatalogTree, after: &CatalogTree) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, new) in after.iter().filter(|(path, _)| path.starts_with("targets/")) {
        let (old, new) = (before.get(path).unwrap_or_default(), String::from_utf8_lossy(new));
        let old = String::from_utf8_lossy(old);
        lines.push(format!("► {path}"));
        lines.extend(old.lines().filter(|l| !new.lines().any(|n| n == *l)).map(|l| format!("  - {l}")));
        lines.extend(new.lines().filter(|l| !old.lines().any(|o| o == *l)).map(|l| format!("  + {l}")));
    }
    lines
}
