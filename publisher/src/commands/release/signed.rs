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

/// The same for whoever sends what is missing.
///
/// # Errors
/// What requests can end with that says nothing about what is attached.
pub(super) async fn readable_signatures(
    registry: &Registry,
    repository: &Repository,
    digest: &Digest,
) -> pdp_transport::Result<Vec<Vec<u8>>> {
    readable(signatures(registry, repository, digest).await)
}

/// What is listed and can't be read counts for nobody, and keeps nobody from sending a signature that counts.
fn readable(found: pdp_transport::Result<Vec<Vec<u8>>>) -> pdp_transport::Result<Vec<Vec<u8>>> {
    match found {
        Err(error) if !error.kind.says_nothing_of_content() => Ok(Vec::new()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use pdp_transport::{Error, Kind};

    use super::*;

    #[test]
    fn what_strangers_attached_and_nobody_can_read_is_no_signature_and_no_error() {
        let read = |kind| readable(Err(Error::new(kind, "blob", "why"))).map_err(|error| error.kind);
        for kind in [Kind::NotFound, Kind::TooLarge, Kind::SizeMismatch, Kind::DigestMismatch, Kind::Garbage]
        {
            assert_eq!(read(kind), Ok(Vec::new()));
        }
        for kind in [Kind::Unreachable, Kind::ServerFailed, Kind::LoginNeeded] {
            assert_eq!(read(kind), Err(kind));
        }
        assert_eq!(readable(Ok(vec![vec![1]])).ok(), Some(vec![vec![1]]));
    }
}
