//! The judge of a customer's approvals and of the requests that they answer: SSHSIG by people whom the policy names.

use super::Verified;
use super::ssh::{self, Signer, Signers};
use crate::approval_rule::{ApprovalRule, People};
use crate::codes::{Refusal, RefusalCode as Code};
use crate::digest::Digest;
use crate::document;
use crate::instruction::{
    APPROVAL_NAMESPACE, Approval, ApprovalDecision, ApprovalRequest, MAX_APPROVAL_LIFE, REQUEST_NAMESPACE,
};
use crate::names::{DataPlaneName, Organization, PdpId};
use crate::person::PersonName;
use crate::time::{At, CLOCK_TOLERANCE};

/// The largest document that is read (bytes).
const MAX_BYTES: usize = 64 * 1024;

/// An approval and who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// What was approved or rejected.
    pub approval: Approval,
    /// Who signed it: one person counts once, with whichever key.
    pub person: PersonName,
    /// Fingerprint of the key.
    pub approver: String,
    /// True if a certificate vouches for the key.
    pub certified: bool,
}

/// When a document is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// The time.
    pub now: At,
    /// When a certificate has to be valid: where the document was seen valid before, that time. Certificates live for hours, and a
    /// level may wait for its window for days.
    pub certified_at: At,
}

impl Times {
    /// Of a document that is seen for the first time.
    pub fn first_seen(now: At) -> Self {
        Self { now, certified_at: now }
    }

    fn signers<'a>(self, people: &'a People, rule: &ApprovalRule) -> Signers<'a> {
        Signers { people, touch: rule.touch, certified_at: self.certified_at }
    }
}

/// A request and who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// What is asked for.
    pub request: ApprovalRequest,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Who asks: may not approve it.
    pub person: PersonName,
    /// Fingerprint of the key.
    pub key: String,
    /// True if a certificate vouches for the key.
    pub certified: bool,
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
        let reason = crate::printable(&format!("{}: {}", refusal.code, refusal.detail));
        Self { name: crate::printable(name), sha256: read.map(|it| it.sha256), reason }
    }
}

/// True if the signature is one of a request, not of an approval.
pub fn is_request(signature: &[u8]) -> bool {
    ssh::namespace(signature).is_some_and(|namespace| namespace == REQUEST_NAMESPACE)
}

/// Judges one request for `pdp`: somebody whom the policy lists under `requesters` signed it.
///
/// # Errors
/// `TooLarge`, `Unreadable`, `UnknownCriticalFeature`, `ApprovalInvalid`, `OtherDataPlane`, `ClockSkew`, `Expired`.
pub fn request(
    bytes: &[u8],
    signature: &[u8],
    rule: &ApprovalRule,
    pdp: &PdpId,
    times: Times,
) -> Result<Verified<Requested>, Refusal> {
    small(bytes, signature)?;
    let read: ApprovalRequest = document::read("request", bytes)?;
    let people = rule.requesters();
    let signers = times.signers(&people, rule);
    let Signer { person, fingerprint, certified } =
        ssh::signer(bytes, signature, REQUEST_NAMESPACE, &signers).map_err(|why| invalid("request", why))?;
    let life = Life { issued: read.issued, expires: read.expires };
    fits("request", (&read.organization, read.data_plane.as_ref()), life, pdp, times.now)?;
    Ok(Verified::new(Requested {
        request: read,
        digest: Digest::of(bytes),
        person,
        key: fingerprint,
        certified,
    }))
}

/// Judges one approval for `pdp` by the policy's rule. The requester never counts as an approver; where the policy lists
/// `requesters`, that is who signed the request that the approval names.
///
/// # Errors
/// `TooLarge`, `Unreadable`, `UnknownCriticalFeature`, `ApprovalInvalid`, `OtherDataPlane`, `ClockSkew`, `Expired`.
pub fn approval(
    bytes: &[u8],
    signature: &[u8],
    rule: &ApprovalRule,
    requests: &[Verified<Requested>],
    pdp: &PdpId,
    times: Times,
) -> Result<Verified<Approved>, Refusal> {
    small(bytes, signature)?;
    let read: Approval = document::read("approval", bytes)?;
    let no = read.decision == ApprovalDecision::Reject;
    // A no of anybody named holds: also of who asked, and by a certificate that was valid when it was said.
    let people = if no { rule.everybody_named() } else { rule.people() };
    let times = if no { Times { certified_at: read.issued.min(times.now), ..times } } else { times };
    let signers = times.signers(&people, rule);
    let Signer { person, fingerprint, certified } =
        ssh::signer(bytes, signature, APPROVAL_NAMESPACE, &signers)
            .map_err(|why| invalid("approval", why))?;
    if !no {
        answers(&read, (&person, &fingerprint), rule, requests).map_err(|why| invalid("approval", why))?;
    }
    let life = Life { issued: read.issued, expires: read.expires };
    fits("approval", (&read.organization, read.data_plane.as_ref()), life, pdp, times.now)?;
    Ok(Verified::new(Approved { approval: read, person, approver: fingerprint, certified }))
}

/// Whether somebody else asked for it; the reason if not.
fn answers(
    approval: &Approval,
    (person, key): (&PersonName, &str),
    rule: &ApprovalRule,
    requests: &[Verified<Requested>],
) -> Result<(), String> {
    let requester = crate::printable(&approval.requester);
    if approval.requester.trim().is_empty() {
        return Err("it doesn't say who asked for it".to_owned());
    }
    let own = || Err(format!("`{requester}` asked for it and may not sign it"));
    if PersonName::of(&approval.requester) == *person {
        return own();
    }
    if rule.requesters.is_empty() {
        return Ok(());
    }
    let Some(digest) = approval.request else {
        return Err("it names no request, and the policy lists who may ask".to_owned());
    };
    let Some(request) = requests.iter().find(|request| request.digest == digest) else {
        return Err(format!("the request {digest} that it answers isn't at hand, or doesn't count"));
    };
    // One key is one person, whatever names certificates give it.
    if request.person == *person || request.key == key {
        return own();
    }
    if request.person != PersonName::of(&approval.requester) {
        return Err(format!("`{requester}` didn't sign the request that it answers"));
    }
    if request.request.sha256 != approval.sha256 {
        return Err("the request that it answers is for another release".to_owned());
    }
    Ok(())
}

fn invalid(subject: &str, why: String) -> Refusal {
    Refusal::new(Code::ApprovalInvalid, subject, why)
}

fn small(bytes: &[u8], signature: &[u8]) -> Result<(), Refusal> {
    match bytes.len().max(signature.len()) > MAX_BYTES {
        true => Err(Refusal::new(Code::TooLarge, "approval", format!("more than {MAX_BYTES} bytes"))),
        false => Ok(()),
    }
}

/// When a document counts.
struct Life {
    issued: At,
    expires: At,
}

/// Whether a document is for this data plane, and for now.
fn fits(
    subject: &str,
    (organization, data_plane): (&Organization, Option<&DataPlaneName>),
    Life { issued, expires }: Life,
    pdp: &PdpId,
    now: At,
) -> Result<(), Refusal> {
    let refuse = |code, detail: String| Err(Refusal::new(code, subject, detail));
    if *organization != pdp.organization || data_plane.is_some_and(|data_plane| *data_plane != pdp.data_plane)
    {
        return refuse(Code::OtherDataPlane, format!("it is not for {pdp}"));
    }
    if issued.unix() > now.unix().saturating_add(CLOCK_TOLERANCE) {
        return refuse(Code::ClockSkew, format!("issued {issued}, but it is {now} here"));
    }
    if expires > issued.plus(MAX_APPROVAL_LIFE) {
        return refuse(Code::ClockSkew, format!("it lives until {expires}, longer than {MAX_APPROVAL_LIFE}"));
    }
    if expires <= now {
        return refuse(Code::Expired, format!("it expired at {expires}"));
    }
    Ok(())
}
