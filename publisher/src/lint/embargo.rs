//! What is under embargo stands in no file that is packed.

use super::{Finding, Linted, Report};
use crate::advisories::secret_in;

pub(super) fn check(linted: &Linted, findings: &mut Vec<Finding>) {
    for (place, source) in linted.places.iter().zip(&linted.sources) {
        let mut report = Report { file: place.clone(), findings };
        for (name, bytes) in source {
            told(linted, &mut report, name, bytes);
        }
    }
}

/// Nor in an SBOM or VEX document that goes out beside it.
pub(super) fn check_statements(linted: &Linted, findings: &mut Vec<Finding>) {
    for it in &linted.statements {
        let mut report = Report { file: it.file.clone(), findings };
        told(linted, &mut report, "", it.document.to_string().as_bytes());
    }
}

fn told(linted: &Linted, report: &mut Report<'_>, name: &str, bytes: &[u8]) {
    if let Some(secret) = secret_in(&linted.file.stated, bytes) {
        let message = format!("the file says `{secret}`, which is under embargo");
        let hint =
            "take it out: everybody can read what is packed; or take `embargoedUntil` out, if it is public";
        report.add(name, "EmbargoTold", message, hint);
    }
}
