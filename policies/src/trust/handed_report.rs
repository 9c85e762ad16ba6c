//! The judge of another data plane's report, whoever brought it: what it says counts by its key alone.

use sigstore_types::DerPublicKey;

use super::Verified;
use crate::after::{After, HandedReport};
use crate::codes::{Refusal, RefusalCode as Code};
use crate::names::Organization;
use crate::report::Report;
use crate::time::{At, CLOCK_TOLERANCE};
use crate::{document, dsse};

/// The largest that is read (bytes).
pub const MAX_HANDED_REPORT_BYTES: usize = 256 * 1024;

/// Judges the report of the data plane that `after` names, of the same organization. How old it may be, the gate says.
///
/// # Errors
/// `TooLarge`, `Unreadable`, `UnknownCriticalFeature`, `WrongPredicate`, `UnknownSigner`, `SignatureThreshold`,
/// `OtherDataPlane`, `ClockSkew`.
pub fn handed_report(
    bytes: &[u8],
    after: &After,
    organization: &Organization,
    now: At,
) -> Result<Verified<Report>, Refusal> {
    let subject = format!("report of `{}`", after.data_plane);
    let refuse = |code, detail: String| Err(Refusal::new(code, &subject, detail));
    if bytes.len() > MAX_HANDED_REPORT_BYTES {
        return refuse(Code::TooLarge, format!("more than {MAX_HANDED_REPORT_BYTES} bytes"));
    }
    let handed: HandedReport = match serde_json::from_slice(bytes) {
        Ok(handed) => handed,
        Err(error) => return refuse(Code::Unreadable, error.to_string()),
    };
    let Ok(key) = DerPublicKey::from_pem(&handed.public_key) else {
        return refuse(Code::Unreadable, "its publicKey isn't a public key".to_owned());
    };
    if !after.is_key(&key) {
        return refuse(Code::UnknownSigner, "its key isn't the one that the policy names".to_owned());
    }
    let payload = dsse::open(&subject, handed.envelope.as_bytes(), dsse::REPORT, &[key])?;
    let report: Report = document::read(&subject, &payload)?;
    if (&report.organization, &report.data_plane) != (organization, &after.data_plane) {
        return refuse(Code::OtherDataPlane, "it is another data plane's".to_owned());
    }
    if report.issued.unix() > now.unix().saturating_add(CLOCK_TOLERANCE) {
        return refuse(Code::ClockSkew, format!("issued {}, but it is {now} here", report.issued));
    }
    Ok(Verified::new(report))
}
