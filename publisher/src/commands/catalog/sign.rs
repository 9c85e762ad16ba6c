//! `publisher catalog sign`: a second person looks at a proposal and signs it.

use pdp_policies::At;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format, say};
use serde_json::json;

use crate::catalog::{CatalogArgs, Current, Proposal};
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
    let proposal = Proposal::read(&current, &args.proposal)?;
    // Before the signature, so that what was signed is on record whatever happens next.
    say(&format!("signing `{}`:", args.proposal));
    proposal.changes.iter().for_each(|line| say(line));
    let proposed = proposal.sign(&current, &args.catalog.git, &keys, now)?;
    let value =
        json!({ "branch": proposed.branch, "signatures": proposed.signatures, "missing": proposed.missing });
    output::print(format, &value, &format!("✔ {proposed}"))?;
    Ok(exit::DONE)
}
