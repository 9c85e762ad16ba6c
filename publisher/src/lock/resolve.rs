//! What the registries have under the names that were found.

use std::collections::BTreeSet;

use pdp_policies::Digest;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::oci::{Registry, Repository};
use serde_json::Value;

use super::reference::Reference;

/// What Helm and containerd take if no tag is written.
const DEFAULT_TAG: &str = "latest";

/// An image in its registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) digest: Digest,
    pub(crate) media_type: String,
    pub(crate) platforms: BTreeSet<String>,
}

/// Asks the registry for a tag, or for the digest if one is written.
///
/// # Errors
/// `ImageMissing`, and what requests can end with.
pub(crate) async fn resolve(registry: &Registry, image: &Reference, via: Option<&str>) -> Result<Resolved> {
    let named: Repository = image.full_name().parse()?;
    let repository = via.map_or(Ok(named.clone()), |host| named.mirrored(host))?;
    let found = match image.digest {
        Some(digest) => registry.resolve_tag(&repository, &digest.to_string()).await?,
        None => registry.resolve_tag(&repository, image.tag.as_deref().unwrap_or(DEFAULT_TAG)).await?,
    };
    let (digest, bytes) = found.ok_or_else(|| missing(image, &repository))?;
    if image.digest.is_some_and(|wanted| wanted != digest) {
        return Err(missing(image, &repository).cause(format!("the registry sends {digest} for it")));
    }
    let manifest: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    Ok(Resolved { digest, media_type: media_type(&manifest), platforms: platforms(&manifest) })
}

fn missing(image: &Reference, asked: &Repository) -> Failure {
    Failure::new("ImageMissing", format!("{asked} has no `{image}`"))
        .hint("push it, or correct the chart's values")
}

/// As it says itself; OCI documents needn't.
fn media_type(manifest: &Value) -> String {
    let implied = if manifest["manifests"].is_array() {
        pdp_transport::oci::INDEX_TYPE
    } else {
        pdp_transport::oci::MANIFEST_TYPE
    };
    pdp_policies::printable(manifest["mediaType"].as_str().unwrap_or(implied))
}

fn platforms(manifest: &Value) -> BTreeSet<String> {
    let parts = manifest["manifests"].as_array().into_iter().flatten();
    let name = |part: &Value| {
        let (os, architecture) =
            (part["platform"]["os"].as_str()?, part["platform"]["architecture"].as_str()?);
        // Attestations lie beside the images, under a platform that doesn't exist.
        (os != "unknown").then(|| pdp_policies::printable(&format!("{os}/{architecture}")))
    };
    parts.filter_map(name).collect()
}
