//! `publisher catalog director add`, and the same of `artifact` and `statement`.

use std::path::PathBuf;

use pdp_policies::trust::metadata;
use pdp_policies::{At, KeyPurpose};
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::cli::output::Format;

use super::{Change, given, listed};
use crate::catalog::offices::check_unused;
use crate::catalog::{ChangeArgs, Current};
use crate::keys::KeyArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The new key's public half (`.pub`).
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    catalog: ChangeArgs,
    #[command(flatten)]
    keys: KeyArgs,
}

pub(super) fn run(purpose: KeyPurpose, args: &Args, format: Format, now: At) -> Result<u8> {
    let keys = args.keys.unlock()?;
    let given = given::read(&args.file)?;
    let current = Current::fetch(&args.catalog, now)?;
    let change = Change { purpose, verb: "added", id: &given.id };
    let list = listed(&current, purpose).add(purpose, &given.pem).map_err(|why| change.refused(why))?;
    // Its own list doesn't have it: whatever else it is good for is another purpose.
    let (id, key) = metadata::key(&given.pem).map_err(internal)?;
    check_unused(&current.tree, &id, &key)?;
    change.propose(&current, &args.catalog, &list, &keys, format, now)
}
