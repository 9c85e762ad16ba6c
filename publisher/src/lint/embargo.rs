//! What is under embargo stands in no file that is packed, nor in a name of one.

use super::{Finding, Linted, Report};
use crate::advisories::{secret_id_in, secret_in};

const HINT: &str =
    "take it out: everybody can read what is packed; or take `embargoedUntil` out, if it is public";

pub(super) fn check(linted: &Linted, findings: &mut Vec<Finding>) {
    for (place, source) in linted.places.iter().zip(&linted.sources) {
        let mut report = Report { file: place.clone(), findings };
        for (name, bytes) in source {
            told(&mut report, name, "the file", secret_in(&linted.file.stated, bytes));
            told(&mut report, name, "the name of the file", secret_in(&linted.file.stated, name.as_bytes()));
        }
    }
}

/// Nor in an SBOM or VEX document that goes out beside it, which doesn't speak of it at all.
pub(super) fn check_statements(linted: &Linted, findings: &mut Vec<Finding>) {
    let stated = &linted.file.stated;
    for it in &linted.statements {
        let mut report = Report { file: it.file.clone(), findings };
        let said = secret_in(stated, it.document.to_string().as_bytes());
        told(&mut report, "", "the file", said.or_else(|| secret_id_in(stated, &it.document)));
        told(&mut report, "", "the name of the file", secret_in(stated, it.file.as_bytes()));
    }
}

fn told(report: &mut Report<'_>, name: &str, who: &str, secret: Option<&str>) {
    if let Some(secret) = secret {
        report.add(name, "EmbargoTold", format!("{who} says `{secret}`, which is under embargo"), HINT);
    }
}
