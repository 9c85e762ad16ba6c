//! `publisher catalog director add`, `publisher catalog artifact add`.

use std::path::PathBuf;

use pdp_policies::trust::metadata;
use pdp_policies::{At, KeyPurpose};
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

use super::{Change, given, listed};
use crate::catalog::offices::check_unused;
use crate::catalog::{CatalogArgs, Current};
use crate::keys::KeyArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The new key's public half (`.pub`).
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    catalog: CatalogArgs,
    #[command(flatten)]
    keys: KeyArgs,
}

/// A key that holds a role, or stands in the other list, has its purpose. What its own list says is judged there.
fn check_elsewhere(current: &Current, purpose: KeyPurpose, pem: &str) -> Result<()> {
    let Ok((id, listed)) = metadata::key(pem) else { return Ok(()) };
    match check_unused(&current.tree, &id, &listed) {
        Err(_) if listed_as(current, purpose, &listed) => Ok(()),
        checked => checked,
    }
}

fn listed_as(current: &Current, purpose: KeyPurpose, key: &serde_json::Value) -> bool {
    let own = |pem: &str| metadata::key(pem).ok().and_then(|(_, listed)| metadata::material(&listed));
    let list = listed(current, purpose);
    list.keys.iter().any(|it| own(&it.public_key) == metadata::material(key))
}

pub(super) fn run(purpose: KeyPurpose, args: &Args, format: Format, now: At) -> Result<u8> {
    let keys = args.keys.unlock()?;
    let given = given::read(&args.file)?;
    let current = Current::fetch(&args.catalog, now)?;
    check_elsewhere(&current, purpose, &given.pem)?;
    let change = Change { purpose, verb: "added", id: &given.id };
    let list = listed(&current, purpose).add(purpose, &given.pem).map_err(|why| change.refused(why))?;
    change.propose(&current, &args.catalog.git, &list, &keys, format, now)
}
