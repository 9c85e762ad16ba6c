//! What a Flux source holds: one archive over plain HTTP inside the cluster, named by its digest.

use pdp_policies::Digest;

use crate::error::{Error, Kind, Result};
use crate::http::{self, Http, HttpOptions};
use crate::kept_blob::KeptBlob;

/// `status.artifact` of a Flux source (source.toolkit.fluxcd.io/v1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FluxArtifact {
    /// Where source-controller serves it.
    pub url: String,
    /// What it is; other algorithms than SHA-256 are refused.
    pub digest: String,
    /// Where it came from, such as `catalog@sha1:...`.
    pub revision: String,
}

/// Fetches the archive, at most `max` bytes, and compares it with its digest.
///
/// # Errors
/// `NotFound` after source-controller lost its storage (it fetches anew by itself), `DigestMismatch`, `TooLarge`,
/// and what requests can end with.
pub async fn fetch(
    artifact: &FluxArtifact,
    max: u64,
    options: &HttpOptions,
    kept: &KeptBlob,
) -> Result<Vec<u8>> {
    let what = format!("Flux artifact {}", artifact.revision);
    let digest: Digest = artifact.digest.parse().map_err(|_| {
        Error::new(Kind::Garbage, &what, "its digest is not SHA-256 (--artifact-digest-algo)")
    })?;
    if let Some(bytes) = kept.get(&digest, max) {
        return Ok(bytes);
    }
    let http = Http::shared(options)?;
    let request = http.client.get(&artifact.url).build().map_err(|e| http::no_answer(&what, &e))?;
    let answer = http.execute(&what, request).await?;
    if !answer.status().is_success() {
        return Err(http.refused(&what, answer).await);
    }
    http.no_page(&what, &answer)?;
    let bytes = http.body(&what, answer, max).await?;
    if Digest::of(&bytes) != digest {
        return Err(Error::new(Kind::DigestMismatch, what, "the archive isn't what Flux says it is"));
    }
    kept.put(&digest, &bytes);
    Ok(bytes)
}
