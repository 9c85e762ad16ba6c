//! A chart in a registry, as Helm pushes it: a manifest whose one layer is the packed chart.

use pdp_policies::Digest;
use pdp_transport::oci::{Descriptor, MAX_MANIFEST_BYTES, Manifest, Registry, Repository};

use super::MAX_PACKED_BYTES;
use super::fetch::unpinned;
use super::kept::Kept;
use super::trouble::Trouble;

/// The packed chart; of Helm before 3.7, the other one.
const LAYERS: [&str; 2] = ["application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/tar+gzip"];

pub(super) async fn chart(
    registry: &Registry,
    kept: &Kept,
    repository: &Repository,
    version: &str,
    digest: Option<&Digest>,
) -> Result<Vec<u8>, Trouble> {
    let Some(digest) = digest else { return Err(found(registry, repository, version).await?) };
    let manifest = match kept.get(digest, MAX_MANIFEST_BYTES) {
        Some(manifest) => manifest,
        None => registry.manifest(repository, digest).await?,
    };
    let layer = layer(&manifest).map_err(|cause| {
        let message = format!("{repository}@{digest}: {cause}");
        Trouble::new(
            "chart",
            "NoChart",
            message,
            "is it the digest of a chart's manifest, as `helm push` prints it?",
        )
    })?;
    let chart = match kept.get(&layer.digest, MAX_PACKED_BYTES) {
        Some(chart) => chart,
        None => registry.blob(repository, &layer.digest, layer.size, MAX_PACKED_BYTES).await?,
    };
    kept.put(digest, &manifest);
    kept.put(&layer.digest, &chart);
    Ok(chart)
}

fn layer(manifest: &[u8]) -> Result<Descriptor, &'static str> {
    let manifest: Manifest = serde_json::from_slice(manifest).map_err(|_| "it is no image manifest")?;
    let charts = manifest.layers.into_iter().filter(|layer| LAYERS.contains(&layer.media_type.as_str()));
    let [chart] = charts.collect::<Vec<_>>().try_into().map_err(|_| "it doesn't hold exactly one chart")?;
    Ok(chart)
}

/// What the chart's tag points at, as what has to be written.
async fn found(registry: &Registry, repository: &Repository, version: &str) -> Result<Trouble, Trouble> {
    let digest = pin(registry, repository, version).await?;
    Ok(unpinned(&format!("{repository}:{version}"), &digest))
}

/// The digest of the manifest of a version. Helm's tags have `_` for `+`.
pub(super) async fn pin(
    registry: &Registry,
    repository: &Repository,
    version: &str,
) -> Result<Digest, Trouble> {
    let found = registry.resolve_tag(repository, &version.replace('+', "_")).await?;
    let missing = || {
        let message = format!("{repository}:{version} isn't there");
        Trouble::new("chart", "NotFound", message, "check address and version")
    };
    found.map(|(digest, _)| digest).ok_or_else(missing)
}

/// Every tag as a version; those that are none are among them.
pub(super) async fn versions(registry: &Registry, repository: &Repository) -> Result<Vec<String>, Trouble> {
    Ok(registry.tags(repository).await?.into_iter().map(|tag| tag.replace('_', "+")).collect())
}
