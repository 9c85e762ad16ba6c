//! The VEX document of a built level once an embargo is over: the level never changes, what is said about it may.

use pdp_policies::At;
use pdp_policies::disclosure::Disclosed;
use pdp_policies::release::Release;
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::oci::Layout;
use serde_json::Value;

use super::openvex::Document;
use super::record::{Record, Recorded, recorded, unsaid};
use super::{About, Kind, MAX_BYTES, written};

/// Writes it anew with what `told` discloses; it isn't signed then. The rest of the level's advisories stays as it was signed.
///
/// # Errors
/// `StatementsUnreadable`, `DigestMismatch`, `Io`.
pub(crate) fn disclose(layout: &Layout, release: &Release, told: &[Disclosed], now: At) -> Result<()> {
    let mut record = Record::read(layout)?;
    let (own, given): (Vec<_>, Vec<_>) =
        record.statements.into_iter().partition(|it| it.kind == Kind::OpenVex && it.file.is_none());
    let documents = documents(layout, &given)?;
    let all = release.advisories.iter().map(|signed| {
        let found = told.iter().find(|it| it.advisory.id == signed.id);
        found.cloned().map_or_else(|| Disclosed::opaque(signed.clone()), Disclosed::public)
    });
    let document = written::vex(release, &unsaid(&documents, all))?;
    record.statements = given;
    if let Some(mut document) = document {
        document["version"] = (version(layout, &own)? + 1).into();
        document["last_updated"] = now.to_string().into();
        let subject = release.bundle.digest;
        record.statements.push(recorded(layout, Kind::OpenVex, About::Level, subject, None, &document)?);
    }
    record.write(layout)
}

/// The VEX documents of the release engineer.
fn documents(layout: &Layout, given: &[Recorded]) -> Result<Vec<Value>> {
    let given = given.iter().filter(|it| it.kind == Kind::OpenVex);
    let read = |it: &Recorded| {
        serde_json::from_slice(&layout.blob(&it.document.digest, MAX_BYTES)?).map_err(internal)
    };
    given.map(read).collect()
}

/// Of the document so far; 0 if there is none.
fn version(layout: &Layout, own: &[Recorded]) -> Result<u64> {
    let Some(own) = own.first() else { return Ok(0) };
    let bytes = layout.blob(&own.document.digest, MAX_BYTES)?;
    Ok(serde_json::from_slice::<Document>(&bytes).map_err(internal)?.version)
}
