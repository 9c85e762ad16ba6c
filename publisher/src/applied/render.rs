//! The objects of a component as a cluster gets them.

use std::path::{Path, PathBuf};

use pdp_policies::image_values::filled;
use pdp_policies::release::{Artifact, Component};
use pdp_policies::{Platform, release_values};
use pdp_transport::cli::failure::{Failure, Result, internal};
use serde_json::{Map, Value};

use super::bundle::Bundle;
use super::pinned::pinned;
use crate::kustomize;
use crate::lint::Source;
use crate::lock::{self, Helm, Rendering};

/// What charts are rendered for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cluster<'a> {
    pub(crate) helm: &'a Helm,
    /// Such as `v1.34.1`.
    pub(crate) kubernetes: &'a str,
    /// The first one on which the component runs if none is named.
    pub(crate) platform: Option<Platform>,
    /// A file of the customer's values for the component, if there is one.
    pub(crate) values: Option<&'a Path>,
}

/// What an update to this level applies for the component.
///
/// # Errors
/// `ChartRefused` and its like, `UnreadableYaml`, `BadBundle`, and what requests can end with.
pub(crate) async fn objects(
    bundle: &Bundle,
    component: &Component,
    cluster: Cluster<'_>,
) -> Result<Vec<Value>> {
    let files = bundle.files(component).await?;
    let objects = match component.artifact {
        Artifact::Chart { .. } => chart(component, &files, cluster).await?,
        Artifact::Manifests { .. } => kustomize::objects(&files),
    };
    Ok(pinned(objects, component))
}

async fn chart(component: &Component, files: &Source, cluster: Cluster<'_>) -> Result<Vec<Value>> {
    let folder = tempfile::tempdir().map_err(internal)?;
    let chart = folder.path().join("chart");
    lock::unpack(&chart, files, component.artifact.digest())?;
    let rendering = Rendering {
        chart: &chart,
        release_name: component.release_name.as_str(),
        namespace: component.namespace.as_str(),
        kubernetes: cluster.kubernetes,
        api_versions: &std::collections::BTreeSet::new(),
        values: &values(folder.path(), component, cluster)?,
        upgrade: true,
    };
    let text = cluster.helm.render(&rendering).await?;
    lock::documents(&text).map_err(|cause| unreadable("what Helm prints", cause))
}

/// The release's, the customer's, and those that carry images; the last one wins.
fn values(folder: &Path, component: &Component, cluster: Cluster<'_>) -> Result<Vec<PathBuf>> {
    let platform = cluster.platform.or(component.platforms.first().copied()).unwrap_or(Platform::Azure);
    let write = |name: &str, values: &Map<String, Value>| -> Result<Option<PathBuf>> {
        let path = folder.join(name);
        if values.is_empty() {
            return Ok(None);
        }
        std::fs::write(&path, release_values::text(values)).map_err(internal)?;
        Ok(Some(path))
    };
    let own = write("release.yaml", &component.values_on(platform))?;
    let images = write("images.yaml", &filled(&component.image_values, str::to_owned))?;
    // Helm doesn't run in this folder.
    let given = cluster.values.map(std::path::absolute).transpose().map_err(internal)?;
    Ok([own, given, images].into_iter().flatten().collect())
}

fn unreadable(what: &str, cause: String) -> Failure {
    Failure::new("UnreadableYaml", what.to_owned()).cause(cause)
}
