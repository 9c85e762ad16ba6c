//! `publisher catalog ROLE threshold`.

use pdp_policies::At;
use pdp_policies::trust::Role;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

use super::{ProposalArgs, run_change};
use crate::catalog::holder_change::KeyChange;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many holders must sign.
    #[arg(value_name = "N")]
    threshold: usize,
    #[command(flatten)]
    proposal: ProposalArgs,
}

pub(super) fn run(role: Role, args: &Args, format: Format, now: At) -> Result<u8> {
    let change = KeyChange { threshold: Some(args.threshold), ..KeyChange::default() };
    run_change(role, &args.proposal, |_| Ok(change), format, now)
}
