//! The VEX document of a built level once an embargo is over: the level never changes, what is said about it may.

use std::collections::BTreeSet;

use pdp_policies::At;
use pdp_policies::disclosure::Disclosed;
use pdp_policies::release::Release;
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::oci::Layout;

use super::openvex::Document;
use super::record::{Record, Recorded, recorded};
use super::{About, Kind, MAX_BYTES, vex, written};

/// Writes it anew with what `told` discloses; it isn't signed then. The rest of the level's advisories stays as it was signed.
///
/// # Errors
/// `StatementsUnreadable`, `DigestMismatch`, `Io`.
pub(crate) fn disclose(layout: &Layout, release: &Release, told: &[Disclosed], now: At) -> Result<()> {
    let mut record = Record::read(layout)?;
    let (own, given): (Vec<_>, Vec<_>) =
        record.statements.into_iter().partition(|it| it.kind == Kind::OpenVex && it.file.is_none());
    let said = said(layout, &given)?;
    let all = release.advisories.iter().map(|signed| {
        let found = told.iter().find(|it| it.advisory.id == signed.id);
        found.cloned().map_or_else(|| Disclosed::opaque(signed.clone()), Disclosed::public)
    });
    let silent = |it: &Disclosed| !said.iter().any(|name| it.advisory.is_called(name));
    let document = written::vex(release, &all.filter(silent).collect::<Vec<_>>())?;
    record.statements = given;
    if let Some(mut document) = document {
        document["version"] = (version(layout, &own)? + 1).into();
        document["last_updated"] = now.to_string().into();
        let subject = release.bundle.digest;
        record.statements.push(recorded(layout, Kind::OpenVex, About::Level, subject, None, &document)?);
    }
    record.write(layout)
}

/// What the documents of the release engineer speak of.
fn said(layout: &Layout, given: &[Recorded]) -> Result<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for it in given.iter().filter(|it| it.kind == Kind::OpenVex) {
        let bytes = layout.blob(&it.document.digest, MAX_BYTES)?;
        all.extend(vex::vulnerabilities(&serde_json::from_slice(&bytes).map_err(internal)?));
    }
    Ok(all)
}

/// Of the document so far; 0 if there is none.
fn version(layout: &Layout, own: &[Recorded]) -> Result<u64> {
    let Some(own) = own.first() else { return Ok(0) };
    let bytes = layout.blob(&own.document.digest, MAX_BYTES)?;
    Ok(serde_json::from_slice::<Document>(&bytes).map_err(internal)?.version)
}
