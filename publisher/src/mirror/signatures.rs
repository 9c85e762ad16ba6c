//! The signatures that come along: those by which a data plane trusts what they sign. Anyone may attach anything, and
//! what strangers attached stays where it is.

use pdp_policies::Digest;
use pdp_policies::trust::{self, Vouchers};
use pdp_transport::Error;
use pdp_transport::cli::failure;
use pdp_transport::oci::{EMPTY_CONFIG, MAX_MANIFEST_BYTES, Manifest, Registry, Repository};

use super::inventory::Inventory;
use crate::commands::release::RELEASE_SIGNATURES;

/// Adds every signature of something that vouches for it.
pub(super) async fn add(
    registry: &Registry,
    (from, to): (&Repository, &Repository),
    (what, subject): (&str, Digest),
    keys: &Vouchers,
    inventory: &mut Inventory,
) -> failure::Result<()> {
    for entry in registry.referrers_like(from, &subject, &RELEASE_SIGNATURES).await? {
        let Some(bytes) = attached(registry.manifest(from, &entry.digest).await)? else { continue };
        let Some(manifest) = plain(&bytes, &subject) else { continue };
        let Some(layer) = manifest.layers.first().filter(|it| it.size <= MAX_MANIFEST_BYTES) else {
            continue;
        };
        let bundle = registry.blob(from, &layer.digest, layer.size, MAX_MANIFEST_BYTES).await;
        let Some(bundle) = attached(bundle)? else { continue };
        if trust::signed_artifact(what, &subject, &[bundle], keys).is_ok() {
            inventory.add_signature(from, to, entry.digest, subject);
            inventory.add_blob(from, to, layer.digest, layer.size);
            inventory.add_blob(from, to, manifest.config.digest, manifest.config.size);
        }
    }
    Ok(())
}

/// What was read of an attachment. Whoever attaches one may name bytes that aren't there, or another size of them: that
/// is passed over, and keeps nothing else from being read.
///
/// # Errors
/// What requests can end with.
pub(crate) fn attached(read: Result<Vec<u8>, Error>) -> Result<Option<Vec<u8>>, Error> {
    match read {
        Err(error) if error.kind.is_named_wrongly() => Ok(None),
        other => other.map(Some),
    }
}

/// A signature of the subject and nothing beside it: a stranger could hang layers of any size onto a good one, or name a
/// layer of the release as its config, with another size.
pub(crate) fn plain(bytes: &[u8], subject: &Digest) -> Option<Manifest> {
    let manifest: Manifest = serde_json::from_slice(bytes).ok()?;
    let refers = manifest.subject.as_ref().is_some_and(|it| it.digest == *subject);
    let Manifest { config, layers, .. } = &manifest;
    let is_empty = config.digest == Digest::of(EMPTY_CONFIG) && config.size == EMPTY_CONFIG.len() as u64;
    (refers && is_empty && layers.len() == 1).then_some(manifest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use pdp_policies::trust::SIGSTORE_BUNDLE;
    use pdp_transport::Kind;
    use pdp_transport::oci::{Descriptor, EMPTY_TYPE, MANIFEST_TYPE};

    use super::*;

    #[test]
    fn a_good_signature_with_more_hung_onto_it_stays_behind() {
        let (bundle, more) = (Descriptor::of(SIGSTORE_BUNDLE, b"bundle"), Descriptor::of("x", b"more"));
        let more_small = Descriptor { size: 2, ..more.clone() };
        let large = Descriptor { size: MAX_MANIFEST_BYTES + 1, ..Descriptor::of(EMPTY_TYPE, EMPTY_CONFIG) };
        let (own, other) = (Descriptor::of(MANIFEST_TYPE, b"own"), Descriptor::of(MANIFEST_TYPE, b"other"));
        let good = Manifest {
            schema_version: 2,
            media_type: MANIFEST_TYPE.to_owned(),
            artifact_type: Some(SIGSTORE_BUNDLE.to_owned()),
            config: Descriptor::of(EMPTY_TYPE, EMPTY_CONFIG),
            layers: vec![bundle.clone()],
            subject: Some(own.clone()),
            annotations: Default::default(),
        };
        let taken = |it: &Manifest| plain(&serde_json::to_vec(it).unwrap(), &own.digest).is_some();
        assert!(taken(&good));
        assert!(!taken(&Manifest { layers: vec![bundle, more], ..good.clone() }));
        for config in [large, more_small] {
            assert!(!taken(&Manifest { config, ..good.clone() }));
        }
        assert!(!taken(&Manifest { subject: Some(other), ..good.clone() }));
        assert!(!taken(&Manifest { subject: None, ..good.clone() }));
        assert!(!taken(&Manifest { layers: Vec::new(), ..good }));
    }

    #[test]
    fn what_a_stranger_named_wrongly_is_passed_over_and_nothing_else() {
        let read = |kind| attached(Err(Error::new(kind, "blob", "why"))).map_err(|error| error.kind);
        for kind in [Kind::NotFound, Kind::TooLarge, Kind::SizeMismatch, Kind::DigestMismatch] {
            assert_eq!(read(kind), Ok(None));
        }
        for kind in [Kind::Unreachable, Kind::LoginNeeded, Kind::DiskFull] {
            assert_eq!(read(kind), Err(kind));
        }
        assert_eq!(attached(Ok(vec![1])).ok(), Some(Some(vec![1])));
    }
}
