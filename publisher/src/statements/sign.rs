//! Signing statements: one Sigstore bundle for each statement and key, in the layout.

use pdp_policies::trust::{MAX_STATEMENT_BUNDLE_BYTES, Vouchers, stated};
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::oci::Layout;
use serde_json::Value;

use super::record::{Record, Recorded, Stored};
use super::{MAX_BYTES, max_bytes};
use crate::keys::SigningKey;
use crate::signature;

/// Signs what `key` hasn't signed yet; how many. Nothing is written in a dry run.
///
/// # Errors
/// `StatementTooLarge`, `Io`.
pub(crate) fn sign(layout: &Layout, record: &mut Record, key: &SigningKey, dry: bool) -> Result<usize> {
    let mut made = 0;
    for statement in &mut record.statements {
        if is_signed(layout, statement, key)? {
            continue;
        }
        made += 1;
        if !dry {
            let bundle = bundle(layout, statement, key)?;
            statement.bundles.push(Stored::put(layout, &bundle)?);
        }
    }
    if !dry && made > 0 {
        record.write(layout)?;
    }
    Ok(made)
}

/// How many of these one of the keys signed.
///
/// # Errors
/// `NotFound`, `DigestMismatch`, `Io`.
pub(crate) fn signed_by<T>(layout: &Layout, all: &[(Recorded, T)], keys: &Vouchers) -> Result<usize> {
    let mut count = 0;
    for (statement, _) in all {
        count += usize::from(is_signed_by(layout, statement, keys)?);
    }
    Ok(count)
}

fn is_signed(layout: &Layout, statement: &Recorded, key: &SigningKey) -> Result<bool> {
    is_signed_by(layout, statement, &key.vouchers())
}

fn is_signed_by(layout: &Layout, statement: &Recorded, keys: &Vouchers) -> Result<bool> {
    for stored in &statement.bundles {
        let bundle = layout.blob(&stored.digest, MAX_STATEMENT_BUNDLE_BYTES)?;
        if stated("", &statement.subject, &bundle, keys).is_ok() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn bundle(layout: &Layout, statement: &Recorded, key: &SigningKey) -> Result<Vec<u8>> {
    let most = max_bytes(&statement.about);
    let bytes = layout.blob(&statement.document.digest, MAX_BYTES)?;
    if bytes.len() as u64 > most {
        let what = format!("a statement about {} has {} bytes", statement.about, bytes.len());
        return Err(Failure::new("StatementTooLarge", what)
            .cause(format!("at most {most} can be attached there"))
            .hint("attach SBOMs to images, which take 16 MiB, or leave out what nobody reads"));
    }
    let document: Value = serde_json::from_slice(&bytes).map_err(internal)?;
    signature::bundle(&statement.subject, statement.kind.predicate_type(), &document, key)
}
