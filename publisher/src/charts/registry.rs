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

/// What the chart's tag points at, as what has to be written. Helm's tags have `_` for `+`.
async fn found(registry: &Registry, repository: &Repository, version: &str) -> Result<Trouble, Trouble> {
    let what = format!("{repository}:{version}");
    match registry.resolve_tag(repository, &version.replace('+', "_")).await? {
        Some((digest, _)) => Ok(unpinned(&what, &digest)),
        None => {
            Ok(Trouble::new("chart", "NotFound", format!("{what} isn't there"), "check address and version"))
        }
    }
}
