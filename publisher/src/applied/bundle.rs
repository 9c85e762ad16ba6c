//! The files of a component, from where the bundle lies: a built layout, or a registry.

use std::sync::Arc;

use pdp_policies::Digest;
use pdp_policies::release::{Artifact, Component};
use pdp_transport::archive;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::oci::{Layout, MAX_MANIFEST_BYTES, Manifest, Registry, Repository};

use crate::charts;
use crate::lint::Source;

/// Where a bundle lies.
#[derive(Debug)]
pub(crate) enum Bundle {
    /// In a folder.
    Built(Layout),
    /// In a registry; whoever vouches for it was asked before.
    Published(Arc<Registry>, Repository),
}

impl Bundle {
    /// The files that a component consists of: of a chart, those within its folder.
    ///
    /// # Errors
    /// `BadBundle`, `NotFound`, `DigestMismatch`, and what requests can end with.
    pub(crate) async fn files(&self, component: &Component) -> Result<Source> {
        let bytes = self.manifest(&component.artifact.digest()).await?;
        let whole: Option<Manifest> = serde_json::from_slice(&bytes).ok();
        let layer = whole.and_then(|manifest| manifest.layers.into_iter().next());
        let layer = layer.ok_or_else(|| bad(component, "its manifest names no layer"))?;
        let max = charts::MAX_PACKED_BYTES;
        let packed = match self {
            Self::Built(layout) => layout.blob(&layer.digest, max)?,
            Self::Published(registry, place) => registry.blob(place, &layer.digest, layer.size, max).await?,
        };
        Ok(match component.artifact {
            Artifact::Chart { .. } => charts::unpacked(&packed)?,
            Artifact::Manifests { .. } => archive::unpack(&packed, charts::MAX_SOURCE_BYTES)?,
        })
    }

    async fn manifest(&self, digest: &Digest) -> Result<Vec<u8>> {
        Ok(match self {
            Self::Built(layout) => layout.blob(digest, MAX_MANIFEST_BYTES)?,
            Self::Published(registry, place) => registry.manifest(place, digest).await?,
        })
    }
}

fn bad(component: &Component, cause: &str) -> Failure {
    Failure::new("BadBundle", format!("component `{}`", component.name))
        .cause(cause)
        .hint("build the release anew, or find out who wrote this bundle")
}
