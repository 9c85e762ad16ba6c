//! Pushing the images of the closure from an OCI layout, so that a registry holds all that a level needs.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use pdp_policies::release::{Image, Release};
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::oci::{Layout, MANIFEST_TYPE, MAX_MANIFEST_BYTES, Manifest, Registry};

use super::publish::{each, skipped, target};

/// Pushes every image of the release that the layout holds; images that it doesn't hold are named.
pub(super) async fn push(
    layout: &Path,
    release: &Release,
    registry: &Arc<Registry>,
    elsewhere: Option<&str>,
) -> Result<()> {
    let layout = Arc::new(Layout::open(layout)?);
    let held: BTreeSet<_> = layout.entries()?.into_iter().map(|entry| entry.digest).collect();
    let images: BTreeSet<Image> = release.components.iter().flat_map(|c| c.images.clone()).collect();
    let (here, missing): (Vec<_>, Vec<_>) =
        images.into_iter().partition(|image| held.contains(&image.digest));
    for image in missing {
        skipped(&format!("not in the layout: {}@{}", image.pull_name(), image.digest));
    }
    let (registry, elsewhere) = (registry.clone(), elsewhere.map(str::to_owned));
    each("images", here, move |image| {
        let (layout, registry, elsewhere) = (layout.clone(), registry.clone(), elsewhere.clone());
        async move { copy(&layout, &registry, &image, elsewhere.as_deref()).await }
    })
    .await
}

async fn copy(layout: &Layout, registry: &Registry, image: &Image, elsewhere: Option<&str>) -> Result<()> {
    let repository = target(image.pull_name(), elsewhere)?;
    if registry.has_manifest(&repository, &image.digest).await? {
        return Ok(());
    }
    let bytes = layout.blob(&image.digest, MAX_MANIFEST_BYTES)?;
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(internal)?;
    for blob in manifest.layers.iter().chain([&manifest.config]) {
        let file = layout.blob_path(&blob.digest);
        registry.push_blob_file(&repository, &file, &blob.digest, blob.size).await?;
    }
    registry.push_manifest(&repository, None, MANIFEST_TYPE, &bytes).await?;
    Ok(())
}
