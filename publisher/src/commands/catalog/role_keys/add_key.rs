//! `publisher catalog ROLE add-key`.

use pdp_policies::At;
use pdp_policies::trust::Role;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

use super::{NamedKey, ProposalArgs, run_change};
use crate::catalog::holder_change::KeyChange;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Who holds it, and the public half, such as `alice=alice.pub`; several times for several people.
    #[arg(value_name = "NAME=FILE", required = true)]
    new: Vec<NamedKey>,
    /// Also how many holders must sign from then on.
    #[arg(long, value_name = "N")]
    threshold: Option<usize>,
    #[command(flatten)]
    proposal: ProposalArgs,
}

pub(super) fn run(role: Role, args: &Args, format: Format, now: At) -> Result<u8> {
    run_change(
        role,
        &args.proposal,
        |current| {
            let add: Result<_> = args.new.iter().map(|key| key.read(current)).collect();
            Ok(KeyChange { add: add?, threshold: args.threshold, ..KeyChange::default() })
        },
        format,
        now,
    )
}
