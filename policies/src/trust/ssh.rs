//! Who signed a customer's document with `ssh-keygen -Y sign`.

use ssh_key::{PublicKey, SshSig};

use crate::approval_rule::{People, Touch, countable, fingerprint};
use crate::person::PersonName;

/// A FIDO key says with each signature whether it was touched: this bit of the byte before its counter.
const TOUCHED: u8 = 1;
/// The byte and the counter end the signature (bytes).
const TRAILER: usize = 5;

/// A person and the fingerprint of the key that signed for them.
pub(super) type Signer = (PersonName, String);

/// The namespace that a signature was made for, none if it is no signature.
pub(super) fn namespace(signature: &[u8]) -> Option<String> {
    SshSig::from_pem(signature).ok().map(|signature| signature.namespace().to_owned())
}

/// Who signed exactly these bytes for `namespace`; else why the signature doesn't count.
pub(super) fn signer(
    bytes: &[u8],
    signature: &[u8],
    namespace: &str,
    people: &People,
    touch: Touch,
) -> Result<Signer, String> {
    if signature.is_empty() {
        return Err("there is no signature beside it".to_owned());
    }
    let signature = SshSig::from_pem(signature)
        .map_err(|_| "its signature isn't one of `ssh-keygen -Y sign`".to_owned())?;
    let key = signature.public_key();
    if signature.namespace() != namespace {
        let other = crate::printable(signature.namespace());
        return Err(format!("signed for the namespace `{other}`, not for `{namespace}`"));
    }
    countable(key).map_err(|what| format!("signed with {what}"))?;
    let fingerprint = fingerprint(key);
    let Some(person) = people.owner(key) else {
        return Err(format!("signed with the key {fingerprint}, which the policy doesn't name"));
    };
    PublicKey::from(key.clone())
        .verify(namespace, bytes, &signature)
        .map_err(|_| format!("the signature with the key {fingerprint} isn't one over this document"))?;
    if touch == Touch::Required && !was_touched(&signature) {
        return Err(format!("signed with the key {fingerprint} without a touch, which the policy asks for"));
    }
    Ok((person.clone(), fingerprint))
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
