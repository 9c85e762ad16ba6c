//! `publisher catalog refresh`: snapshot and timestamp anew, nothing else. It says which roles of people end soon.

use pdp_policies::At;
use pdp_policies::trust::Nearness;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};
use serde_json::json;

use super::online::{OnlineArgs, to_oci};
use crate::catalog::{Current, Online, endings, push, read_back, tell};
use crate::commands::blocking;

pub(super) async fn run(args: OnlineArgs, format: Format, now: At) -> Result<u8> {
    let OnlineArgs { catalog, keys, oci } = args;
    let (registry, dry) = (catalog.git.connection.registry()?, catalog.dry);
    let (tree, endings) = blocking(move || {
        let keys = keys.unlock()?;
        let current = Current::fetch(&catalog, now)?;
        let mut tree = current.tree.clone();
        Online::pick(&current.tree, &keys)?.sign(&mut tree, now)?;
        let new = read_back(&current, tree, now)?;
        push(&current, &catalog, &new, "Refresh\n", now)?;
        Ok((new.tree, endings(&current.catalog, now)))
    })
    .await?;
    to_oci(&registry, oci.as_ref(), &tree, dry).await?;
    tell(&endings);
    let value = json!({ "signedAt": now, "endings": endings });
    output::print(
        format,
        &value,
        &format!("✔ {} as of {now}", if dry.is_on() { "would be fresh" } else { "fresh" }),
    )?;
    // It runs where nobody reads along: whoever watches the exit code must hear of it in time.
    let soon = endings.iter().any(|ending| ending.near >= Nearness::Week);
    Ok(if soon { exit::ROLE_ENDS } else { exit::DONE })
}
