//! `publisher catalog renew`: a role of people lives on with the content that it has.

use std::collections::BTreeMap;

use pdp_policies::At;
use pdp_policies::trust::Role;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};
use serde_json::json;

use crate::catalog::{ChangeArgs, Current, Other, propose};
use crate::keys::KeyArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The role: root, targets, releases or channels. Its holders sign; several of them run the same command.
    #[arg(value_parser = of_people)]
    role: Role,
    #[command(flatten)]
    catalog: ChangeArgs,
    #[command(flatten)]
    keys: KeyArgs,
}

fn of_people(text: &str) -> std::result::Result<Role, String> {
    let role: Role = text.parse()?;
    match role.is_of_people() {
        true => Ok(role),
        false => Err(format!("`{role}` is renewed every hour by `publisher catalog refresh`")),
    }
}

pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let keys = args.keys.unlock()?;
    let current = Current::fetch(&args.catalog, now)?;
    let proposed = propose(&current, &args.catalog, args.role, &BTreeMap::new(), Other::Stays, &keys, now)?;
    let value = json!({
        "role": args.role.name(), "branch": proposed.branch, "signatures": proposed.signatures,
        "missing": proposed.missing,
    });
    output::print(format, &value, &format!("✔ renewal of `{}`: {proposed}", args.role))?;
    Ok(exit::DONE)
}
