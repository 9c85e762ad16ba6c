//! `publisher catalog refresh`: snapshot and timestamp anew, nothing else.

use pdp_policies::At;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};
use serde_json::json;

use super::publish::Args;
use crate::catalog::{Current, Online, newest_root, push};
use crate::commands::blocking;

pub(crate) async fn run(args: Args, format: Format, now: At) -> Result<u8> {
    let Args { catalog, keys, oci, server: _ } = args;
    let registry = catalog.git.connection.registry()?;
    let tree = blocking(move || {
        let keys = keys.unlock()?;
        let current = Current::fetch(&catalog, now)?;
        let mut tree = current.tree.clone();
        Online::pick(&current.tree, &newest_root(&current)?, &keys)?.sign(&mut tree, now)?;
        push(&current, &catalog.git, &tree, "Refresh\n", now)?;
        Ok(tree)
    })
    .await?;
    if let Some(repository) = &oci {
        pdp_transport::catalog::to_oci(&registry, repository, "latest", &tree).await?;
    }
    output::print(format, &json!({ "signedAt": now }), &format!("✔ fresh as of {now}"))?;
    Ok(exit::DONE)
}
