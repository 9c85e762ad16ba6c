//! `publisher catalog ROLE rotate`.

use std::path::PathBuf;

use pdp_policies::At;
use pdp_policies::trust::Role;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::Format;

use super::{NamedKey, ProposalArgs, run_change};
use crate::catalog::holder_change::KeyChange;
use crate::catalog::offices::office;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The key that goes: its holder's name, the beginning of its id, or its public file.
    #[arg(value_name = "OLD")]
    old: String,
    /// The public half of the key that comes: `FILE` for the same holder, `NAME=FILE` for another one.
    #[arg(value_name = "NEW")]
    new: String,
    #[command(flatten)]
    proposal: ProposalArgs,
}

pub(super) fn run(role: Role, args: &Args, format: Format, now: At) -> Result<u8> {
    run_change(
        role,
        &args.proposal,
        |current| {
            let office = office(&current.tree, role)?;
            let old = office.find(&args.old)?;
            let new = match args.new.contains('=') {
                true => args.new.parse().map_err(|cause: String| bad(&args.new, &cause))?,
                false => {
                    let cause = "the catalog doesn't say who holds the old key";
                    let holder = old.holder.clone().ok_or_else(|| bad(&args.new, cause))?;
                    NamedKey { holder, file: PathBuf::from(&args.new) }
                }
            };
            Ok(KeyChange { remove: [old.id.clone()].into(), add: vec![new.read(current)?], threshold: None })
        },
        format,
        now,
    )
}

fn bad(named: &str, cause: &str) -> Failure {
    Failure::new("BadArguments", format!("`{named}`"))
        .cause(cause)
        .hint("write NAME=FILE, such as alice=alice.pub")
}
