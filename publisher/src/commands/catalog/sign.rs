//! `publisher catalog sign`: a second person looks at a proposal and signs it.

use std::io::{IsTerminal, stdin};

use pdp_policies::{At, Digest, Organization};
use pdp_transport::cli::confirm::confirm;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format, say};
use serde_json::json;

use crate::catalog::{ChangeArgs, Current, Proposal};
use crate::keys::KeyArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The proposal's branch, such as `proposals/channels-7`.
    proposal: String,
    /// Sign without being asked, at a terminal where it was shown.
    #[arg(long)]
    yes: bool,
    /// Sign only what has this digest, as `catalog proposals show` prints it. Without a terminal it is needed.
    #[arg(long, value_name = "DIGEST")]
    expect: Option<Digest>,
    /// A customer to look for in the audience of a hotfix, which names nobody; may be given more than once.
    #[arg(long = "organization", value_name = "NAME")]
    organizations: Vec<Organization>,
    #[command(flatten)]
    catalog: ChangeArgs,
    #[command(flatten)]
    keys: KeyArgs,
}

pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let keys = args.keys.unlock()?;
    let current = Current::fetch(&args.catalog, now)?;
    let proposal = Proposal::read(&current, &args.proposal, &args.organizations)?;
    // Before the signature, so that what was signed is on record whatever happens next.
    say(&proposal.shown());
    proposal.check_beside(&current)?;
    agreed(args, &proposal)?;
    let proposed = proposal.sign(&current, &args.catalog, &keys, now)?;
    let value =
        json!({ "branch": proposed.branch, "signatures": proposed.signatures, "missing": proposed.missing });
    output::print(format, &value, &format!("✔ {proposed}"))?;
    Ok(exit::DONE)
}

/// A person read what was shown and says so, or somebody read it before and names it by its digest.
fn agreed(args: &Args, proposal: &Proposal) -> Result<()> {
    let nothing = || format!("`{}`: nothing was signed", args.proposal);
    match &args.expect {
        Some(expected) if *expected == proposal.digest => Ok(()),
        Some(expected) => Err(Failure::new("ProposalDiffers", nothing())
            .cause(format!("it is {}, not {expected}", proposal.digest))
            .hint("it was changed since it was looked at: read it again with `publisher catalog proposals show`")),
        None if stdin().is_terminal() => confirm("sign it", &args.proposal, args.yes),
        None => Err(Failure::new("NotConfirmed", nothing())
            .cause("nobody can be asked: stdin is no terminal")
            .hint("read it with `publisher catalog proposals show`, then name it with --expect DIGEST")),
    }
}
