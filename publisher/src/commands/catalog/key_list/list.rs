//! `publisher catalog director list`, and the same of `artifact` and `statement`.

use pdp_policies::trust::metadata;
use pdp_policies::{At, KeyPurpose, KeyState, ListedKey};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};
use serde_json::json;

use super::listed;
use crate::catalog::{CatalogArgs, Current};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    catalog: CatalogArgs,
}

pub(super) fn run(purpose: KeyPurpose, args: &Args, format: Format, now: At) -> Result<u8> {
    let current = Current::fetch(&args.catalog, now)?;
    let keys = &listed(&current, purpose).keys;
    let rows: Vec<_> = keys
        .iter()
        .map(|key| json!({ "id": id(key), "state": key.state, "retiredAt": key.retired_at, "publicKey": key.public_key }))
        .collect();
    let lines: Vec<_> = keys.iter().map(|key| format!("{}  {}", id(key), state(purpose, key))).collect();
    output::list(format, &rows, keys.iter().map(id), &lines.join("\n"))?;
    Ok(exit::DONE)
}

fn id(key: &ListedKey) -> String {
    metadata::key(&key.public_key).map_or_else(|_| "(not a key of ours)".to_owned(), |(id, _)| id)
}

fn state(purpose: KeyPurpose, key: &ListedKey) -> String {
    match (key.state, purpose, key.retired_at) {
        (KeyState::Active, ..) => "active".to_owned(),
        (KeyState::Revoked, ..) => "revoked: nothing counts".to_owned(),
        (KeyState::Retired, KeyPurpose::Artifact | KeyPurpose::Statement, Some(at)) => {
            format!("retired at {at}: counts for levels promoted before")
        }
        (KeyState::Retired, ..) => "retired: nothing counts".to_owned(),
    }
}
