//! `publisher catalog redate`: the right time over a catalog that a wrong clock dated ahead. The keys are those of snapshot
//! and timestamp, and of two holders of `channels`.

use pdp_policies::At;
use pdp_policies::trust::Role;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format, say};
use serde_json::json;

use super::online::{OnlineArgs, to_oci};
use crate::catalog::{Current, Holders, Online, push, read_back};
use crate::commands::blocking;
use crate::keys::SigningKey;

/// Going back in time is nothing for a machine alone.
const PEOPLE: usize = 2;

pub(super) async fn run(args: OnlineArgs, format: Format, now: At) -> Result<u8> {
    let OnlineArgs { catalog, keys, oci } = args;
    let (registry, dry) = (catalog.git.connection.registry()?, catalog.dry);
    let (tree, dated) = blocking(move || {
        let keys = keys.unlock()?;
        let (current, dated) = Current::fetch_ahead(&catalog, now)?;
        two_people(&current, &keys)?;
        let mut tree = current.tree.clone();
        Online::pick(&current.tree, &keys)?.sign(&mut tree, now)?;
        let new = read_back(&current, tree, now)?;
        push(&current, &catalog, &new, &format!("Date anew what was dated {dated}\n"), now)?;
        Ok((new.tree, dated))
    })
    .await?;
    to_oci(&registry, oci.as_ref(), &tree, dry).await?;
    say(&format!(
        "◎ a data plane whose own clock was at {dated}, too, took it and now refuses what is older: it follows \
         again once every key of `timestamp` is another one (`publisher catalog timestamp rotate`)"
    ));
    let value = json!({ "signedAt": now, "wasDated": dated });
    output::print(
        format,
        &value,
        &format!("✔ {} {now} instead of {dated}", if dry.is_on() { "would be dated" } else { "dated" }),
    )?;
    Ok(exit::DONE)
}

fn two_people(current: &Current, keys: &[SigningKey]) -> Result<()> {
    let holders = Holders::of(&current.tree, Role::Channels)?;
    let people: std::collections::BTreeSet<_> =
        keys.iter().filter(|key| holders.has(key)).map(|key| &key.id).collect();
    if people.len() >= PEOPLE {
        return Ok(());
    }
    Err(Failure::new("TwoPeopleNeeded", format!("{} of the given keys hold `channels`", people.len()))
        .cause("a catalog is dated back by two people, never by a machine alone")
        .hint("add the keys of two release managers with --key"))
}
