//! Whether a registry has an image and every part of every index: registries delete parts that a tagged index lists.

use pdp_policies::Digest;
use pdp_transport::cli::failure::Result;
use pdp_transport::oci::{Registry, Repository};

use super::document::Document;

/// What is missing: the image itself, or parts of it. Layers aren't asked for.
///
/// # Errors
/// `BadImage`, and what requests can end with.
pub(crate) async fn missing(
    registry: &Registry,
    repository: &Repository,
    digest: Digest,
) -> Result<Vec<Digest>> {
    let Some((found, bytes)) = registry.resolve_tag(repository, &digest.to_string()).await? else {
        return Ok(vec![digest]);
    };
    if found != digest {
        return Ok(vec![digest]);
    }
    let mut missing = Vec::new();
    for part in Document::read(&format!("{repository}@{digest}"), &bytes)?.parts {
        if !registry.has_manifest(repository, &part).await? {
            missing.push(part);
        }
    }
    Ok(missing)
}
