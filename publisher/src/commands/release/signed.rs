//! What of a release is signed, and the signatures that a registry has of it.

use pdp_policies::trust::{SIGSTORE_BUNDLE, may_release};
use pdp_policies::{Digest, Release};
use pdp_transport::oci::{MAX_MANIFEST_BYTES, Registry, Repository, Which};

/// More referrers of one artifact than this aren't looked at.
pub(crate) const MAX_REFERRERS: usize = 16;

/// The Sigstore bundles of an artifact that can be its release signatures.
pub(crate) const RELEASE_SIGNATURES: Which<'static> = Which {
    artifact_type: SIGSTORE_BUNDLE,
    limit: MAX_REFERRERS,
    max_bytes: MAX_MANIFEST_BYTES,
    wanted: may_release,
};

/// The bundle and each component.
pub(crate) fn named(release: &Release) -> Vec<(&str, Digest)> {
    let components = release.components.iter().map(|it| (it.name.as_str(), it.artifact.digest()));
    std::iter::once(("the bundle", release.bundle.digest)).chain(components).collect()
}

/// All that can be its release signatures; nobody has judged them.
pub(in crate::commands) async fn signatures(
    registry: &Registry,
    repository: &Repository,
    digest: &Digest,
) -> pdp_transport::Result<Vec<Vec<u8>>> {
    registry.attached(repository, digest, &RELEASE_SIGNATURES).await
}
