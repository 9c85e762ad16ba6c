//! What somebody entitled says about an artifact: an SBOM, or a VEX document, in a Sigstore bundle. It releases nothing.

use std::collections::BTreeMap;

use sigstore_types::DerPublicKey;

use super::artifact::{envelope, statement};
use super::{COSIGN_PREDICATE, Verified, Vouchers};
use crate::codes::{Refusal, RefusalCode};
use crate::digest::Digest;

/// A bundle with a statement may not be larger (bytes): 16 MiB of statement, as Base64.
pub const MAX_STATEMENT_BUNDLE_BYTES: u64 = 24 * 1024 * 1024;
/// The annotation that says what a bundle states. Nobody signed it: it saves reading, and proves nothing.
pub const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";

/// What is stated about a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The type of the predicate, such as `https://cyclonedx.org/bom`.
    pub predicate_type: String,
    /// The key behind it.
    pub signer: DerPublicKey,
}

/// Judges one bundle: whether a statement key stands behind it, and what it states of this digest. A release signature is no
/// statement.
///
/// # Errors
/// `Unreadable`, `UnknownSigner`, `WrongPredicate`, `WrongSubject`.
pub fn stated(
    subject: &str,
    digest: &Digest,
    bundle: &[u8],
    keys: &Vouchers,
) -> Result<Verified<Stated>, Refusal> {
    let (envelope, signer) = envelope(subject, digest, bundle, keys)?;
    let predicate_type = statement(subject, digest, &envelope)?;
    if predicate_type == COSIGN_PREDICATE {
        let detail = "a statement key can't release anything";
        return Err(Refusal::new(RefusalCode::WrongPredicate, subject, detail));
    }
    Ok(Verified::new(Stated { predicate_type, signer }))
}

/// Whether a bundle with such annotations, in its manifest or in a list, can be a release signature: a large SBOM isn't fetched
/// to see that it is none. What says nothing is looked at.
pub fn may_release(annotations: &BTreeMap<String, String>) -> bool {
    annotations.get(PREDICATE_TYPE).is_none_or(|stated| stated == COSIGN_PREDICATE)
}

/// Whether it can be a statement.
pub fn may_state(annotations: &BTreeMap<String, String>) -> bool {
    annotations.get(PREDICATE_TYPE).is_none_or(|stated| stated != COSIGN_PREDICATE)
}
