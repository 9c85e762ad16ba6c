//! What of a release is signed, and the signatures that a registry has of it.

use pdp_policies::trust::SIGSTORE_BUNDLE;
use pdp_policies::{Digest, Release};
use pdp_transport::oci::{Registry, Repository};

/// More referrers of one artifact than this aren't looked at.
pub(crate) const MAX_REFERRERS: usize = 16;

/// The bundle and each component.
pub(crate) fn named(release: &Release) -> Vec<(&str, Digest)> {
    let components = release.components.iter().map(|it| (it.name.as_str(), it.artifact.digest()));
    std::iter::once(("the bundle", release.bundle.digest)).chain(components).collect()
}

/// All Sigstore bundles attached to it; nobody has judged them.
pub(in crate::commands) async fn signatures(
    registry: &Registry,
    repository: &Repository,
    digest: &Digest,
) -> pdp_transport::Result<Vec<Vec<u8>>> {
    registry.attached(repository, digest, SIGSTORE_BUNDLE, MAX_REFERRERS).await
}
