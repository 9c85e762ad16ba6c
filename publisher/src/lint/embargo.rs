//! What is under embargo stands in no file that is packed.

use super::{Finding, Linted, Report};
use crate::advisories::secret_in;

pub(super) fn check(linted: &Linted, findings: &mut Vec<Finding>) {
    for (place, source) in linted.places.iter().zip(&linted.sources) {
        let mut report = Report { file: place.clone(), findings };
        for (name, bytes) in source {
            if let Some(secret) = secret_in(&linted.file.stated, bytes) {
                let message = format!("the file says `{secret}`, which is under embargo");
                let hint = "take it out: everybody can read what is packed; or take `embargoedUntil` out, if it is public";
                report.add(name, "EmbargoTold", message, hint);
            }
        }
    }
}
