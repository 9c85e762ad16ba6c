//! Before anything is written: every artifact of the level is there, is the right one, and is signed.

use pdp_policies::release::{Component, Release};
use pdp_policies::trust::{self, SIGSTORE_BUNDLE};
use pdp_policies::{Digest, KeyList, Refusal, RefusalCode};
use pdp_transport::oci::{Manifest, Registry, Repository};
use pdp_transport::{Error, Kind};

use crate::subscription::Signatures;

/// A component's artifact may not be larger (bytes).
const MAX_ARTIFACT_BYTES: u64 = 64 * 1024 * 1024;
/// More referrers of one artifact than this aren't looked at.
const MAX_REFERRERS: usize = 16;

/// Why a level can't be applied yet.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Something can't be had now: wait.
    Unavailable(Error),
    /// Something is wrong: refuse.
    Refused(Refusal),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Error> for Trouble {
    /// Other bytes than the digest says are an attack or a broken registry, never "not yet".
    fn from(error: Error) -> Self {
        let code = match error.kind {
            Kind::DigestMismatch | Kind::SizeMismatch => RefusalCode::DigestMismatch,
            Kind::TooLarge => RefusalCode::TooLarge,
            _ => return Self::Unavailable(error),
        };
        Self::Refused(Refusal::new(code, error.what, error.cause))
    }
}

/// Fetches and checks all artifacts of `components`; `keys` are those that vouch for artifacts.
pub(crate) async fn check(
    registry: &Registry,
    repository: &Repository,
    release: &Release,
    components: &[&Component],
    keys: &KeyList,
    signatures: Signatures,
) -> Result<(), Trouble> {
    let index = registry.manifest(repository, &release.bundle.digest).await?;
    trust::bundle(&index, release)?;
    let required = signatures == Signatures::Required;
    if required {
        signed(registry, repository, "the bundle", &release.bundle.digest, keys).await?;
    }
    for component in components {
        let digest = component.artifact.digest();
        let bytes = registry.manifest(repository, &digest).await?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|e| Refusal::new(RefusalCode::Unreadable, component.name.as_str(), e.to_string()))?;
        for layer in manifest.layers.iter().chain([&manifest.config]) {
            registry.blob(repository, &layer.digest, layer.size, MAX_ARTIFACT_BYTES).await?;
        }
        if required {
            signed(registry, repository, component.name.as_str(), &digest, keys).await?;
        }
    }
    Ok(())
}

async fn signed(
    registry: &Registry,
    repository: &Repository,
    what: &str,
    digest: &Digest,
    keys: &KeyList,
) -> Result<(), Trouble> {
    let bundles = registry.attached(repository, digest, SIGSTORE_BUNDLE, MAX_REFERRERS).await?;
    trust::signed_artifact(what, digest, &bundles, keys)?;
    Ok(())
}
