//! Secrets that are shown once: 256 random bits behind a prefix that says what they are for. Only hashes are kept.

use aws_lc_rs::error::Unspecified;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pdp_policies::Digest;

/// Random bytes from the system.
///
/// # Errors
/// When the system has none to give.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Unspecified> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes)?;
    Ok(bytes)
}

/// A new secret and the hash to keep.
///
/// # Errors
/// As [`random`].
pub(crate) fn new(prefix: &str) -> Result<(String, Digest), Unspecified> {
    let secret = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random::<32>()?));
    let hash = Digest::of(secret.as_bytes());
    Ok((secret, hash))
}
