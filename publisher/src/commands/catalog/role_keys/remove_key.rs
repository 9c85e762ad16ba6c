//! `publisher catalog ROLE remove-key`.

use pdp_policies::At;
use pdp_policies::trust::Role;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

use super::{ProposalArgs, run_change};
use crate::catalog::holder_change::KeyChange;
use crate::catalog::offices::office;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The key: its holder's name, the beginning of its id, or its public file; several times for several keys.
    #[arg(value_name = "KEY", required = true)]
    old: Vec<String>,
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
            let office = office(&current.tree, role)?;
            let remove: Result<_> = args.old.iter().map(|named| Ok(office.find(named)?.id.clone())).collect();
            Ok(KeyChange { remove: remove?, threshold: args.threshold, ..KeyChange::default() })
        },
        format,
        now,
    )
}
