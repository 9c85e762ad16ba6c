//! The judge of a customer's approvals: SSHSIG by a person whom the policy names, over exactly these bytes.

use ssh_key::{HashAlg, PublicKey, SshSig};

use super::Verified;
use crate::codes::{Refusal, RefusalCode as Code};
use crate::document;
use crate::instruction::{APPROVAL_NAMESPACE, Approval, MAX_APPROVAL_LIFE};
use crate::names::PdpId;
use crate::time::{At, CLOCK_TOLERANCE};

/// The largest approval that is read (bytes).
const MAX_APPROVAL_BYTES: usize = 64 * 1024;

/// An approval and who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// What was approved or rejected.
    pub approval: Approval,
    /// Fingerprint of the approver's key: one person counts once.
    pub approver: String,
}

/// Judges one approval for `pdp`. `approvers` are the policy's public keys (OpenSSH); the comment of a
/// key is its owner's name, and the requester never counts as an approver.
///
/// # Errors
/// `TooLarge`, `Unreadable`, `UnknownCriticalFeature`, `ApprovalInvalid`, `OtherDataPlane`, `ClockSkew`, `Expired`.
pub fn approval(
    bytes: &[u8],
    signature: &[u8],
    approvers: &[String],
    pdp: &PdpId,
    now: At,
) -> Result<Verified<Approved>, Refusal> {
    let subject = "approval";
    let refuse = |code, detail: String| Err(Refusal::new(code, subject, detail));
    if bytes.len() > MAX_APPROVAL_BYTES || signature.len() > MAX_APPROVAL_BYTES {
        return refuse(Code::TooLarge, format!("more than {MAX_APPROVAL_BYTES} bytes"));
    }
    let read: Approval = document::read(subject, bytes)?;
    let Some(key) = signer(bytes, signature, approvers) else {
        return refuse(Code::ApprovalInvalid, "no valid signature by a key that the policy names".into());
    };
    if key.comment().to_string() == read.requester {
        return refuse(
            Code::ApprovalInvalid,
            format!("`{}` asked for it and may not sign it", read.requester),
        );
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
    let approver = key.fingerprint(HashAlg::Sha256).to_string();
    Ok(Verified::new(Approved { approval: read, approver }))
}

fn signer(bytes: &[u8], signature: &[u8], approvers: &[String]) -> Option<PublicKey> {
    let signature = SshSig::from_pem(signature).ok()?;
    let keys = approvers.iter().filter_map(|line| PublicKey::from_openssh(line).ok());
    keys.into_iter().find(|key| key.verify(APPROVAL_NAMESPACE, bytes, &signature).is_ok())
}
