//! `publisher catalog refresh`: snapshot and timestamp anew, nothing else. It says which roles of people end soon.

use pdp_policies::At;
use pdp_policies::trust::Nearness;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format, say};
use pdp_transport::oci::Repository;
use serde_json::json;

use crate::catalog::{CatalogArgs, Current, Online, endings, push};
use crate::commands::blocking;
use crate::keys::KeyArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    catalog: CatalogArgs,
    #[command(flatten)]
    keys: KeyArgs,
    /// Also publish the catalog as an OCI artifact here, under the tag `latest`.
    #[arg(long, value_name = "HOST/PATH")]
    oci: Option<Repository>,
}

pub(crate) async fn run(args: Args, format: Format, now: At) -> Result<u8> {
    let Args { catalog, keys, oci } = args;
    let registry = catalog.git.connection.registry()?;
    let (tree, endings) = blocking(move || {
        let keys = keys.unlock()?;
        let current = Current::fetch(&catalog, now)?;
        let mut tree = current.tree.clone();
        Online::pick(&current.tree, &keys)?.sign(&mut tree, now)?;
        push(&current, &catalog.git, &tree, "Refresh\n", now)?;
        Ok((tree, endings(&current.catalog, now)))
    })
    .await?;
    if let Some(repository) = &oci {
        pdp_transport::catalog::to_oci(&registry, repository, "latest", &tree).await?;
    }
    endings.iter().for_each(|ending| say(&ending.to_string()));
    let value = json!({ "signedAt": now, "endings": endings });
    output::print(format, &value, &format!("✔ fresh as of {now}"))?;
    // It runs where nobody reads along: whoever watches the exit code must hear of it in time.
    let soon = endings.iter().any(|ending| ending.near >= Nearness::Week);
    Ok(if soon { exit::ROLE_ENDS } else { exit::DONE })
}
