//! The signatures that come along: those by which a data plane trusts what they sign. Anyone may attach anything, and
//! what strangers attached stays where it is.

use pdp_policies::Digest;
use pdp_policies::trust::{self, Vouchers};
use pdp_transport::Kind;
use pdp_transport::cli::failure::Result;
use pdp_transport::oci::{MAX_MANIFEST_BYTES, Manifest, Registry, Repository};

use super::inventory::Inventory;
use crate::commands::release::RELEASE_SIGNATURES;

/// Adds every signature of something that vouches for it.
pub(super) async fn add(
    registry: &Registry,
    (from, to): (&Repository, &Repository),
    (what, subject): (&str, Digest),
    keys: &Vouchers,
    inventory: &mut Inventory,
) -> Result<()> {
    for entry in registry.referrers_like(from, &subject, &RELEASE_SIGNATURES).await? {
        let bytes = match registry.manifest(from, &entry.digest).await {
            Err(error) if error.kind == Kind::NotFound => continue,
            other => other?,
        };
        let Some(manifest) = plain(&bytes, &subject) else { continue };
        let Some(layer) = manifest.layers.first().filter(|it| it.size <= MAX_MANIFEST_BYTES) else {
            continue;
        };
        let bundle = registry.blob(from, &layer.digest, layer.size, MAX_MANIFEST_BYTES).await?;
        if trust::signed_artifact(what, &subject, &[bundle], keys).is_ok() {
            inventory.add_signature(from, to, entry.digest, subject);
            inventory.add_blob(from, to, layer.digest, layer.size);
            inventory.add_blob(from, to, manifest.config.digest, manifest.config.size);
        }
    }
    Ok(())
}

/// A signature of the subject and nothing beside it: a stranger could hang layers of any size onto a good one.
pub(crate) fn plain(bytes: &[u8], subject: &Digest) -> Option<Manifest> {
    let manifest: Manifest = serde_json::from_slice(bytes).ok()?;
    let refers = manifest.subject.as_ref().is_some_and(|it| it.digest == *subject);
    let small = manifest.layers.len() == 1 && manifest.config.size <= MAX_MANIFEST_BYTES;
    (refers && small).then_some(manifest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use pdp_policies::trust::SIGSTORE_BUNDLE;
    use pdp_transport::oci::{Descriptor, EMPTY_CONFIG, EMPTY_TYPE, MANIFEST_TYPE};

    use super::*;

    #[test]
    fn a_good_signature_with_more_hung_onto_it_stays_behind() {
        let (bundle, more) = (Descriptor::of(SIGSTORE_BUNDLE, b"bundle"), Descriptor::of("x", b"more"));
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
        assert!(!taken(&Manifest { config: large, ..good.clone() }));
        assert!(!taken(&Manifest { subject: Some(other), ..good.clone() }));
        assert!(!taken(&Manifest { subject: None, ..good.clone() }));
        assert!(!taken(&Manifest { layers: Vec::new(), ..good }));
    }
}
