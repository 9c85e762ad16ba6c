//! Who signed a customer's document with `ssh-keygen -Y sign`.

use ssh_key::public::KeyData;
use ssh_key::{Certificate, PublicKey, SshSig};

use super::ssh_certificate;
use crate::approval_rule::{People, Touch, countable, fingerprint};
use crate::person::PersonName;
use crate::time::At;

/// A FIDO key says with each signature whether it was touched: this bit of the byte before its counter.
const TOUCHED: u8 = 1;
/// The byte and the counter end the signature (bytes).
const TRAILER: usize = 5;

/// Who signed.
#[derive(Debug)]
pub(super) struct Signer {
    pub(super) person: PersonName,
    /// Fingerprint of the key.
    pub(super) fingerprint: String,
    /// True if a certificate vouches for the key.
    pub(super) certified: bool,
}

/// Whose signatures count.
pub(super) struct Signers<'a> {
    pub(super) people: &'a People,
    pub(super) touch: Touch,
    /// When a certificate has to be valid.
    pub(super) certified_at: At,
}

/// The namespace that a signature was made for, none if it is no signature.
pub(super) fn namespace(signature: &[u8]) -> Option<String> {
    ssh_certificate::read(signature).map(|(signature, _)| signature.namespace().to_owned())
}

/// Who signed exactly these bytes for `namespace`; else why the signature doesn't count.
pub(super) fn signer(
    bytes: &[u8],
    signature: &[u8],
    namespace: &str,
    signers: &Signers<'_>,
) -> Result<Signer, String> {
    if signature.is_empty() {
        return Err("there is no signature beside it".to_owned());
    }
    let (signature, certificate) = ssh_certificate::read(signature)
        .ok_or_else(|| "its signature isn't one of `ssh-keygen -Y sign`".to_owned())?;
    let key = signature.public_key();
    if signature.namespace() != namespace {
        let other = crate::printable(signature.namespace());
        return Err(format!("signed for the namespace `{other}`, not for `{namespace}`"));
    }
    countable(key).map_err(|what| format!("signed with {what}"))?;
    let fingerprint = fingerprint(key);
    let person = person(key, &fingerprint, certificate.as_ref(), signers)?;
    PublicKey::from(key.clone())
        .verify(namespace, bytes, &signature)
        .map_err(|_| format!("the signature with the key {fingerprint} isn't one over this document"))?;
    if signers.touch == Touch::Required && !was_touched(&signature) {
        return Err(format!("signed with the key {fingerprint} without a touch, which the policy asks for"));
    }
    Ok(Signer { person, fingerprint, certified: certificate.is_some() })
}

/// Whose key it is, by the policy or by a certificate.
fn person(
    key: &KeyData,
    fingerprint: &str,
    certificate: Option<&Certificate>,
    signers: &Signers<'_>,
) -> Result<PersonName, String> {
    let people = signers.people;
    let Some(certificate) = certificate else {
        let unknown = || format!("signed with the key {fingerprint}, which the policy doesn't name");
        return people.owner(key).cloned().ok_or_else(unknown);
    };
    let principals = ssh_certificate::principals(certificate, &people.authorities, signers.certified_at)?;
    people.certified(&principals).ok_or_else(|| {
        let names = crate::printable(&principals.join(", "));
        format!(
            "signed with a certificate for `{names}`: it has to name one person of the policy, and no other"
        )
    })
}

/// False if a FIDO key says that nobody touched it.
fn was_touched(signature: &SshSig) -> bool {
    use ssh_key::Algorithm::{SkEcdsaSha2NistP256, SkEd25519};
    let signature = signature.signature();
    if !matches!(signature.algorithm(), SkEd25519 | SkEcdsaSha2NistP256) {
        return true;
    }
    let bytes = signature.as_bytes();
    let flags = bytes.len().checked_sub(TRAILER).and_then(|at| bytes.get(at));
    flags.is_some_and(|flags| flags & TOUCHED != 0)
}
