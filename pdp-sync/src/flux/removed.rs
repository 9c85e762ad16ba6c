//! Taking away what a release lists as removed, and nothing else.

use pdp_policies::decision::DecisionRecord;
use pdp_transport::cli::failure::Result;
use serde_json::json;

use super::observed::Objects;
use crate::cluster::{Cluster, Kind};

/// Removes the components that the target lists as removed. True if there was anything left to remove.
///
/// Deleting a `HelmRelease` lets helm-controller uninstall it. A `Kustomization` is told first that this deletion is
/// meant: otherwise it leaves behind what it applied.
pub(super) fn remove(cluster: &Cluster, record: &DecisionRecord, objects: &Objects) -> Result<bool> {
    let mut removed = false;
    for name in &record.target().removed {
        let name = name.as_str();
        if objects.get(Kind::HelmRelease, name).is_some() {
            removed |= cluster.delete(Kind::HelmRelease, name)?;
        }
        if let Some(applier) = objects.get(Kind::Kustomization, name) {
            if applier["spec"]["deletionPolicy"] != "Delete" {
                cluster.merge(
                    Kind::Kustomization,
                    name,
                    &json!({ "spec": { "deletionPolicy": "Delete" } }),
                )?;
            }
            removed |= cluster.delete(Kind::Kustomization, name)?;
        }
    }
    Ok(removed)
}
