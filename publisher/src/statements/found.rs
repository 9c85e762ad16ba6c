//! Statements that a registry has of something, as far as a statement key stands behind them.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use pdp_policies::Digest;
use pdp_policies::trust::{self, MAX_STATEMENT_BUNDLE_BYTES, SIGSTORE_BUNDLE, Vouchers, metadata};
use pdp_transport::cli::failure::Result;
use pdp_transport::oci::{Manifest, Registry, Repository, Which};
use serde::Serialize;
use serde_json::Value;

use super::{Kind, Said};
use crate::commands::release::MAX_REFERRERS;
use crate::mirror::{attached, plain};
use crate::several::gather;

/// One statement.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Found {
    /// What it is about, for people.
    pub(crate) about: String,
    pub(crate) subject: Digest,
    pub(crate) predicate_type: String,
    /// The id of the key that signed it.
    pub(crate) key: String,
    /// The manifest that attaches it, and what that names.
    pub(crate) manifest: Digest,
    #[serde(skip)]
    pub(crate) said: Said,
    #[serde(skip)]
    pub(crate) parts: Manifest,
}

impl Found {
    /// The word for what it is.
    pub(crate) fn kind(&self) -> &str {
        match Kind::named(&self.predicate_type) {
            Some(kind) => kind.name(),
            None => &self.predicate_type,
        }
    }
}

/// Something to look at: where it is, what it is for people, its digest.
pub(crate) type Subject = (Repository, String, Digest);

/// All statements about all of these.
///
/// # Errors
/// As [`of_subject`].
pub(crate) async fn of_subjects(
    registry: &Arc<Registry>,
    subjects: Vec<Subject>,
    keys: &Vouchers,
) -> Result<Vec<(Repository, Found)>> {
    // Without a statement key nobody is asked for anything.
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let (registry, keys) = (registry.clone(), Arc::new(keys.clone()));
    let found = gather("statements", subjects, move |(place, about, digest)| {
        let (registry, keys) = (registry.clone(), keys.clone());
        async move {
            let found = of_subject(&registry, &place, (&about, digest), &keys).await?;
            Ok(found.into_iter().map(|it| (place.clone(), it)).collect::<Vec<_>>())
        }
    });
    let mut found: Vec<_> = found.await?.into_iter().flatten().collect();
    found.sort_by(|(_, a), (_, b)| (&a.about, a.manifest).cmp(&(&b.about, b.manifest)));
    Ok(found)
}

/// Looks at what can be a statement. Strangers' ones, what is listed and gone or of another size or digest than its manifest
/// says, and what is too large or no manifest of one, are passed over.
///
/// # Errors
/// What requests can end with.
pub(super) async fn of_subject(
    registry: &Registry,
    repository: &Repository,
    (about, subject): (&str, Digest),
    keys: &Vouchers,
) -> Result<Vec<Found>> {
    let which = Which {
        artifact_type: SIGSTORE_BUNDLE,
        limit: MAX_REFERRERS,
        max_bytes: MAX_STATEMENT_BUNDLE_BYTES,
        wanted: trust::may_state,
    };
    let mut found = Vec::new();
    for entry in registry.referrers_like(repository, &subject, &which).await? {
        let Some(bytes) = attached(registry.manifest(repository, &entry.digest).await)? else { continue };
        let Some(parts) = plain(&bytes, &subject).filter(|it| (which.wanted)(&it.annotations)) else {
            continue;
        };
        let Some(layer) = parts.layers.first().filter(|it| it.size <= which.max_bytes) else { continue };
        let bundle = registry.blob(repository, &layer.digest, layer.size, which.max_bytes).await;
        let Some(Judged { predicate_type, key, said }) =
            attached(bundle)?.and_then(|bundle| judged(&subject, &bundle, keys))
        else {
            continue;
        };
        let (about, manifest) = (about.to_owned(), entry.digest);
        found.push(Found { about, subject, predicate_type, key, manifest, said, parts });
    }
    Ok(found)
}

/// A bundle that a statement key stands behind.
pub(super) struct Judged {
    predicate_type: String,
    pub(super) key: String,
    pub(super) said: Said,
}

/// None if no key stands behind it.
pub(super) fn judged(subject: &Digest, bundle: &[u8], keys: &Vouchers) -> Option<Judged> {
    let stated = trust::stated("", subject, bundle, keys).ok()?;
    let predicate_type = stated.predicate_type.clone();
    let key = metadata::key(&stated.signer.to_pem()).map(|(id, _)| id).unwrap_or_default();
    let said = Said::of(&predicate_type, &predicate(bundle)?);
    Some(Judged { predicate_type, key, said })
}

/// The document in a bundle that was judged.
fn predicate(bundle: &[u8]) -> Option<Value> {
    let bundle: Value = serde_json::from_slice(bundle).ok()?;
    let payload = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str()?).ok()?;
    let mut statement: Value = serde_json::from_slice(&payload).ok()?;
    Some(statement["predicate"].take())
}
