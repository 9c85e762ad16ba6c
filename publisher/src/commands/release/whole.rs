//! Whether a registry has all of a level already. What is pushed comes in an order: the bundle's own signatures after those of its
//! components, the level's tag last; so one look at both tells.

use pdp_policies::trust::{Vouchers, signed_artifact};
use pdp_policies::{Digest, KeyList};
use pdp_transport::cli::failure::Result;
use pdp_transport::oci::{MAX_MANIFEST_BYTES, Registry, Repository};

use super::signed::readable_signatures;
use crate::build::Built;
use crate::signature;

/// What a registry has of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum There {
    /// Neither its tag nor the bundle's signatures of this layout: nothing, or little of a try that was cut off early.
    Nothing,
    /// Some of it, or another one, or what another key signed.
    Some,
    /// The level's tag names this bundle, and each key that signed it here signed it there, too.
    Whole,
}

/// What is there; `keys` are those of the catalog. What a key signed that isn't among them has to be sent.
///
/// # Errors
/// What requests can end with.
pub(super) async fn there(
    registry: &Registry,
    repository: &Repository,
    built: &Built,
    keys: &KeyList,
) -> Result<There> {
    let bundle = built.release.bundle.digest;
    let here = own_signatures(built)?;
    match registry.resolve_tag(repository, &built.release.level.to_string()).await? {
        Some((found, _)) if found == bundle => {
            let there = readable_signatures(registry, repository, &bundle).await?;
            let whole = !here.is_empty() && here.iter().all(|one| signed_alike(&bundle, one, &there, keys));
            Ok(if whole { There::Whole } else { There::Some })
        }
        Some(_) => Ok(There::Some),
        // All blobs are sent before the first manifest is: this one tells whether they were.
        None => match here.first() {
            Some(one) if !registry.has_blob(repository, &Digest::of(one)).await? => Ok(There::Nothing),
            _ => Ok(There::Some),
        },
    }
}

/// The Sigstore bundles on the bundle in the layout.
fn own_signatures(built: &Built) -> Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    for (manifest, _) in signature::all(&built.layout)? {
        if manifest.subject.is_some_and(|subject| subject.digest == built.release.bundle.digest) {
            for layer in &manifest.layers {
                found.push(built.layout.blob(&layer.digest, MAX_MANIFEST_BYTES)?);
            }
        }
    }
    Ok(found)
}

/// True if a key that counts made this signature, and one of those.
pub(super) fn signed_alike(subject: &Digest, one: &[u8], those: &[Vec<u8>], keys: &KeyList) -> bool {
    let signed = |attached: &[Vec<u8>], by: &Vouchers| signed_artifact("it", subject, attached, by).is_ok();
    keys.active_keys().any(|key| {
        let key = Vouchers::in_use(&KeyList::active([key.public_key.clone()]));
        signed(&[one.to_vec()], &key) && signed(those, &key)
    })
}
