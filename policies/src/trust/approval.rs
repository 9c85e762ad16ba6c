//! The judge of a customer's approvals: SSHSIG by a person whom the policy names, over exactly these bytes.

use ssh_key::{PublicKey, SshSig};

use super::Verified;
use crate::approval_rule::{ApprovalRule, Touch, countable, fingerprint};
use crate::codes::{Refusal, RefusalCode as Code};
use crate::digest::Digest;
use crate::document;
use crate::instruction::{APPROVAL_NAMESPACE, Approval, MAX_APPROVAL_LIFE};
use crate::names::PdpId;
use crate::person::PersonName;
use crate::time::{At, CLOCK_TOLERANCE};

/// The largest approval that is read (bytes).
const MAX_APPROVAL_BYTES: usize = 64 * 1024;
/// A FIDO key says with each signature whether it was touched: this bit of the byte before its counter.
const TOUCHED: u8 = 1;
/// The byte and the counter end the signature (bytes).
const TRAILER: usize = 5;

/// An approval and who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// What was approved or rejected.
    pub approval: Approval,
    /// Who signed it: one person counts once, with whichever key.
    pub person: PersonName,
    /// Fingerprint of the key.
    pub approver: String,
}

/// An approval that doesn't count, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncounted {
    /// Its file or object.
    pub name: String,
    /// The release that it is for, none if it can't be read.
    pub sha256: Option<Digest>,
    /// Why, for people.
    pub reason: String,
}

impl Uncounted {
    /// What a refused document is for, as far as it says so.
    pub fn new(name: &str, document: &[u8], refusal: &Refusal) -> Self {
        let read: Option<Approval> = document::read("approval", document).ok();
        let reason = format!("{}: {}", refusal.code, refusal.detail);
        Self { name: crate::printable(name), sha256: read.map(|it| it.sha256), reason }
    }
}

/// Judges one approval for `pdp` by the policy's rule. The requester never counts as an approver.
///
/// # Errors
/// `TooLarge`, `Unreadable`, `UnknownCriticalFeature`, `ApprovalInvalid`, `OtherDataPlane`, `ClockSkew`, `Expired`.
pub fn approval(
    bytes: &[u8],
    signature: &[u8],
    rule: &ApprovalRule,
    pdp: &PdpId,
    now: At,
) -> Result<Verified<Approved>, Refusal> {
    let subject = "approval";
    let refuse = |code, detail: String| Err(Refusal::new(code, subject, detail));
    if bytes.len() > MAX_APPROVAL_BYTES || signature.len() > MAX_APPROVAL_BYTES {
        return refuse(Code::TooLarge, format!("more than {MAX_APPROVAL_BYTES} bytes"));
    }
    let read: Approval = document::read(subject, bytes)?;
    let (person, approver) = match signer(bytes, signature, rule) {
        Ok(signer) => signer,
        Err(why) => return refuse(Code::ApprovalInvalid, why),
    };
    if PersonName::of(&read.requester) == person {
        let requester = crate::printable(&read.requester);
        return refuse(Code::ApprovalInvalid, format!("`{requester}` asked for it and may not sign it"));
    }
    if read.organization != pdp.organization
        || read.data_plane.as_ref().is_some_and(|dp| *dp != pdp.data_plane)
    {
        return refuse(Code::OtherDataPlane, format!("it is not for {pdp}"));
    }
    if read.issued.unix() > now.unix().saturating_add(CLOCK_TOLERANCE) {
        return refuse(Code::ClockSkew, format!("issued {}, but it is {now} here", read.issued));
    }
    if read.expires > read.issued.plus(MAX_APPROVAL_LIFE) {
        return refuse(
            Code::ClockSkew,
            format!("it lives until {}, longer than {MAX_APPROVAL_LIFE}", read.expires),
        );
    }
    if read.expires <= now {
        return refuse(Code::Expired, format!("it expired at {}", read.expires));
    }
    Ok(Verified::new(Approved { approval: read, person, approver }))
}

/// Who signed, and the fingerprint of their key; else why the signature doesn't count.
fn signer(bytes: &[u8], signature: &[u8], rule: &ApprovalRule) -> Result<(PersonName, String), String> {
    if signature.is_empty() {
        return Err("there is no signature beside it".to_owned());
    }
    let signature = SshSig::from_pem(signature)
        .map_err(|_| "its signature isn't one of `ssh-keygen -Y sign`".to_owned())?;
    let (key, namespace) = (signature.public_key(), signature.namespace());
    if namespace != APPROVAL_NAMESPACE {
        let namespace = crate::printable(namespace);
        return Err(format!("signed for the namespace `{namespace}`, not for `{APPROVAL_NAMESPACE}`"));
    }
    countable(key).map_err(|what| format!("signed with {what}"))?;
    let fingerprint = fingerprint(key);
    let people = rule.people();
    let Some(person) = people.owner(key) else {
        return Err(format!("signed with the key {fingerprint}, which the policy doesn't name"));
    };
    PublicKey::from(key.clone())
        .verify(APPROVAL_NAMESPACE, bytes, &signature)
        .map_err(|_| format!("the signature with the key {fingerprint} isn't one over this document"))?;
    if rule.touch == Touch::Required && !was_touched(&signature) {
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
