//! What the commands that sign snapshot and timestamp share.

use pdp_policies::CatalogTree;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::oci::{Registry, Repository};

use crate::catalog::ChangeArgs;
use crate::dry_run::DryRun;
use crate::keys::KeyArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct OnlineArgs {
    #[command(flatten)]
    pub(super) catalog: ChangeArgs,
    #[command(flatten)]
    pub(super) keys: KeyArgs,
    /// Also publish the catalog as an OCI artifact here, under the tag `latest`.
    #[arg(long, value_name = "HOST/PATH")]
    pub(super) oci: Option<Repository>,
}

/// Publishes what was pushed as an artifact, too, if that was asked for. Where it fails, the branch has it all the same.
pub(super) async fn to_oci(
    registry: &Registry,
    place: Option<&Repository>,
    tree: &CatalogTree,
    dry: DryRun,
) -> Result<()> {
    if let Some(repository) = place
        && !dry.only_says(&format!("the catalog would be published at {repository}"))
    {
        let place = format!("the catalog is visible in Git; its copy at {repository}");
        let copied = pdp_transport::catalog::to_oci(registry, repository, "latest", tree).await;
        copied.map_err(|error| Failure::from(error).within(&place))?;
    }
    Ok(())
}
