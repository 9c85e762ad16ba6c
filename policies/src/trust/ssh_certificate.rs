//! SSH certificates: keys that a certificate authority vouches for, under a person's name and for a time.

use ssh_key::certificate::CertType;
use ssh_key::public::KeyData;
use ssh_key::{Certificate, Fingerprint, HashAlg, SshSig};

use crate::approval_rule::countable;
use crate::time::At;

/// A signature by a plain key, and the certificate of that key if it came with one: the signature covers the document and its
/// namespace, not the key that stands beside it.
pub(super) fn read(signature: &[u8]) -> Option<(SshSig, Option<Certificate>)> {
    let signature = SshSig::from_pem(signature).ok()?;
    let Some(certificate) = signature.public_key().certificate().cloned() else {
        return Some((signature, None));
    };
    let (key, made) = (certificate.public_key().clone(), signature.signature().clone());
    let plain = SshSig::new(key, signature.namespace(), signature.hash_alg(), made).ok()?;
    Some((plain, Some(certificate)))
}

/// The names that a certificate vouches for at a time; else why it doesn't count.
pub(super) fn principals(
    certificate: &Certificate,
    authorities: &[KeyData],
    at: At,
) -> Result<Vec<String>, String> {
    let refuse = |why: &str| Err(format!("signed with a certificate {why}"));
    let authority = certificate.signature_key();
    let shown = authority.fingerprint(HashAlg::Sha256);
    if !authorities.contains(authority) {
        return refuse(&format!("of the authority {shown}, which the policy doesn't name"));
    }
    countable(authority).map_err(|what| format!("signed with a certificate of {what}"))?;
    if certificate.cert_type() != CertType::User {
        return refuse("of a host, not of a person");
    }
    if let Some((option, _)) = certificate.critical_options().iter().next() {
        return refuse(&format!("that is bound by the option `{}`", crate::printable(option)));
    }
    let unix = u64::try_from(at.unix()).unwrap_or_default();
    if !(certificate.valid_after()..certificate.valid_before()).contains(&unix) {
        return refuse(&format!("that isn't valid at {at}"));
    }
    let known: Vec<Fingerprint> = vec![shown];
    match certificate.validate_at(unix, &known) {
        Ok(()) => Ok(certificate.valid_principals().to_vec()),
        Err(_) => refuse(&format!("that the authority {shown} didn't sign")),
    }
}
