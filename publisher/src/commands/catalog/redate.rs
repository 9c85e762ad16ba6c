//! `publisher catalog redate`: the right time over a catalog that a wrong clock dated ahead.

use pdp_policies::At;
use pdp_policies::trust::Role;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format, say};
use pdp_transport::oci::Repository;
use serde_json::json;

use crate::catalog::{CatalogArgs, Current, Holders, Online, push};
use crate::commands::blocking;
use crate::keys::{KeyArgs, SigningKey};

/// Going back in time is nothing for a machine alone.
const PEOPLE: usize = 2;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    catalog: CatalogArgs,
    /// The keys of snapshot and timestamp, and those of two holders of `channels`.
    #[command(flatten)]
    keys: KeyArgs,
    /// Also publish the catalog as an OCI artifact here, under the tag `latest`.
    #[arg(long, value_name = "HOST/PATH")]
    oci: Option<Repository>,
}

pub(crate) async fn run(args: Args, format: Format, now: At) -> Result<u8> {
    let Args { catalog, keys, oci } = args;
    let registry = catalog.git.connection.registry()?;
    let (tree, dated) = blocking(move || {
        let keys = keys.unlock()?;
        let (current, dated) = Current::fetch_ahead(&catalog, now)?;
        two_people(&current, &keys)?;
        let mut tree = current.tree.clone();
        Online::pick(&current.tree, &keys)?.sign(&mut tree, now)?;
        push(&current, &catalog.git, &tree, &format!("Date anew what was dated {dated}\n"), now)?;
        Ok((tree, dated))
    })
    .await?;
    if let Some(repository) = &oci {
        pdp_transport::catalog::to_oci(&registry, repository, "latest", &tree).await?;
    }
    say(&format!(
        "◎ a data plane whose own clock was at {dated}, too, took it and now refuses what is older: it needs a root with \
         another key for `timestamp`"
    ));
    let value = json!({ "signedAt": now, "wasDated": dated });
    output::print(format, &value, &format!("✔ dated {now} instead of {dated}"))?;
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
