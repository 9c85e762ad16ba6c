//! OCI artifacts: the bundle's index against the release, and keyed cosign bundles over digests.
//!
//! Format: Sigstore bundle v0.3 with a public-key hint and a DSSE in-toto statement, no log, no timestamp,
//! as `cosign sign --key` writes it and as Flux verifies it.

use std::collections::BTreeSet;

use serde::Deserialize;
use sigstore_crypto::VerificationKey;
use sigstore_types::bundle::{SignatureContent, VerificationMaterialContent};
use sigstore_types::{Bundle, DerPublicKey, DsseEnvelope, Statement};

use super::{Verified, Vouchers};
use crate::codes::{Refusal, RefusalCode};
use crate::digest::Digest;
use crate::release::{BUNDLE_TYPE, Release};

/// Media and artifact type of a Sigstore bundle.
pub const SIGSTORE_BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// The one predicate that means "this is released". cosign and Flux don't check it; we do.
pub const COSIGN_PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";
const IN_TOTO: &str = "application/vnd.in-toto+json";
const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// Checks that an OCI index is the bundle of `release`: its digest, type, and exactly its components.
///
/// # Errors
/// `DigestMismatch`, `Unreadable`, `BundleMismatch`.
pub fn bundle(index: &[u8], release: &Release) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Index {
        artifact_type: Option<String>,
        manifests: Vec<Child>,
    }
    #[derive(Deserialize)]
    struct Child {
        digest: Digest,
        size: u64,
    }
    let subject = format!("bundle of level {}", release.level);
    let refuse = |code, detail: &str| Refusal::new(code, &subject, detail);
    if Digest::of(index) != release.bundle.digest || index.len() as u64 != release.bundle.size {
        return Err(refuse(RefusalCode::DigestMismatch, "it is not the index that the release names"));
    }
    let index: Index =
        serde_json::from_slice(index).map_err(|e| refuse(RefusalCode::Unreadable, &e.to_string()))?;
    let held: BTreeSet<_> = index.manifests.iter().map(|m| (m.digest, m.size)).collect();
    let named: BTreeSet<_> =
        release.components.iter().map(|c| (c.artifact.digest(), c.artifact.size())).collect();
    if index.artifact_type.as_deref() != Some(BUNDLE_TYPE) || held != named {
        return Err(refuse(RefusalCode::BundleMismatch, "it doesn't hold exactly the release's components"));
    }
    Ok(())
}

/// A digest that one of the keys that count for it released. Other people's referrers beside it don't matter.
///
/// # Errors
/// `Unsigned` without any referrer, else why the best of them doesn't count.
pub fn signed_artifact(
    subject: &str,
    digest: &Digest,
    referrers: &[Vec<u8>],
    keys: &Vouchers,
) -> Result<Verified<Digest>, Refusal> {
    let mut best = None;
    for referrer in referrers {
        match signed_by(subject, digest, referrer, keys) {
            Ok(()) => return Ok(Verified::new(*digest)),
            Err(refusal) => best = Some(telling(best, refusal)),
        }
    }
    Err(best
        .unwrap_or_else(|| Refusal::new(RefusalCode::Unsigned, subject, "no signature is attached to it")))
}

/// The later a check fails, the more its refusal tells.
fn telling(old: Option<Refusal>, new: Refusal) -> Refusal {
    match old {
        Some(old) if old.code >= new.code => old,
        _ => new,
    }
}

fn signed_by(subject: &str, digest: &Digest, bundle: &[u8], keys: &Vouchers) -> Result<(), Refusal> {
    let (envelope, _) = envelope(subject, digest, bundle, keys)?;
    let stated = statement(subject, digest, &envelope)?;
    if stated != COSIGN_PREDICATE {
        let detail = format!("it states `{}`", stated.escape_default());
        return Err(Refusal::new(RefusalCode::WrongPredicate, subject, detail));
    }
    Ok(())
}

/// What a key that counts for the digest put its signature on, and the key.
pub(super) fn envelope(
    subject: &str,
    digest: &Digest,
    bundle: &[u8],
    keys: &Vouchers,
) -> Result<(DsseEnvelope, DerPublicKey), Refusal> {
    let refuse = |code, detail: &str| Refusal::new(code, subject, detail);
    let unreadable = |detail: &str| refuse(RefusalCode::Unreadable, detail);
    let text = std::str::from_utf8(bundle).map_err(|e| unreadable(&e.to_string()))?;
    let bundle = Bundle::from_json(text).map_err(|e| unreadable(&e.to_string()))?;
    if !matches!(bundle.verification_material.content, VerificationMaterialContent::PublicKey(_)) {
        return Err(refuse(RefusalCode::UnknownSigner, "signed with a certificate, not with a key"));
    }
    let SignatureContent::DsseEnvelope(envelope) = bundle.content else {
        return Err(refuse(RefusalCode::WrongPredicate, "a bare signature, not a statement"));
    };
    let signer = keys.for_digest(digest).find(|key| verifies(key, &envelope)).cloned();
    let signer = signer
        .ok_or_else(|| refuse(RefusalCode::UnknownSigner, "signed by no key that vouches for releases"))?;
    Ok((envelope, signer))
}

fn verifies(key: &DerPublicKey, envelope: &DsseEnvelope) -> bool {
    VerificationKey::from_spki(key)
        .is_ok_and(|key| key.verify(envelope.pae(), &envelope.signature.sig).is_ok())
}

/// The signature is ours; is it over this digest? What it states.
pub(super) fn statement(subject: &str, digest: &Digest, envelope: &DsseEnvelope) -> Result<String, Refusal> {
    let refuse = |code, detail: String| Refusal::new(code, subject, detail);
    let statement: Statement = serde_json::from_slice(envelope.payload.as_bytes())
        .map_err(|e| refuse(RefusalCode::Unreadable, e.to_string()))?;
    if envelope.payload_type != IN_TOTO || statement.type_ != STATEMENT {
        let detail = format!("it is no in-toto statement but `{}`", statement.type_.escape_default());
        return Err(refuse(RefusalCode::WrongPredicate, detail));
    }
    let [stated] = statement.subject.as_slice() else {
        return Err(refuse(RefusalCode::WrongSubject, "it doesn't name exactly one subject".into()));
    };
    if stated.digest.sha256.as_ref().map(|hash| hash.as_bytes()) != Some(digest.as_bytes()) {
        return Err(refuse(RefusalCode::WrongSubject, "it is over another digest".into()));
    }
    Ok(statement.predicate_type)
}
