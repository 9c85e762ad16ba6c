//! Signing OCI artifacts as `cosign sign --key` (v3) does: a Sigstore bundle as referrer, no log, no timestamp.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use pdp_policies::Digest;
use pdp_policies::trust::{COSIGN_PREDICATE, PREDICATE_TYPE, SIGSTORE_BUNDLE};
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::oci::{
    Descriptor, EMPTY_CONFIG, EMPTY_TYPE, Layout, MANIFEST_TYPE, MAX_MANIFEST_BYTES, Manifest,
};
use serde_json::{Value, json};

use crate::keys::SigningKey;

const IN_TOTO: &str = "application/vnd.in-toto+json";

/// A signature outside any layout.
#[derive(Debug, Clone)]
pub(crate) struct Detached {
    /// The Sigstore bundle.
    pub(crate) bundle: Vec<u8>,
    /// The manifest that attaches it.
    pub(crate) manifest: Vec<u8>,
}

/// Signs `subject` with `key`.
pub(crate) fn detached(subject: &Descriptor, key: &SigningKey) -> Result<Detached> {
    let bundle = bundle(&subject.digest, COSIGN_PREDICATE, &json!({}), key)?;
    let manifest = referrer(subject, COSIGN_PREDICATE, &Descriptor::of(SIGSTORE_BUNDLE, &bundle))?;
    Ok(Detached { bundle, manifest })
}

/// Signs with `key` into the layout what no valid signature by this key is there of; how many. The list of what the layout
/// holds is written once, last. Nothing is written in a dry run.
pub(crate) fn sign(layout: &Layout, subjects: &[Descriptor], key: &SigningKey, dry: bool) -> Result<usize> {
    let (mut entries, before) = (layout.entries()?, all(layout)?);
    let held = entries.len();
    let mut made = 0;
    for subject in subjects {
        if is_signed(layout, &before, &subject.digest, key)? {
            continue;
        }
        made += 1;
        if !dry {
            entries.push(signed(layout, subject, key)?);
        }
    }
    if entries.len() > held {
        layout.put_entries(entries)?;
    }
    Ok(made)
}

/// Signs something into the layout; the entry that lists it.
fn signed(layout: &Layout, subject: &Descriptor, key: &SigningKey) -> Result<Descriptor> {
    let Detached { bundle, manifest } = detached(subject, key)?;
    layout.put_blob(EMPTY_CONFIG)?;
    layout.put_blob(&bundle)?;
    layout.put_blob(&manifest)?;
    let mut entry = Descriptor::of(MANIFEST_TYPE, &manifest);
    entry.artifact_type = Some(SIGSTORE_BUNDLE.to_owned());
    Ok(entry)
}

/// All signature manifests in a layout.
pub(crate) fn all(layout: &Layout) -> Result<Vec<(Manifest, Vec<u8>)>> {
    let mut found = Vec::new();
    for entry in layout.entries()? {
        if entry.artifact_type.as_deref() == Some(SIGSTORE_BUNDLE) {
            let bytes = layout.blob(&entry.digest, MAX_MANIFEST_BYTES)?;
            found.push((serde_json::from_slice(&bytes).map_err(internal)?, bytes));
        }
    }
    Ok(found)
}

/// True if the key signed it already by one of these.
fn is_signed(
    layout: &Layout,
    signatures: &[(Manifest, Vec<u8>)],
    subject: &Digest,
    key: &SigningKey,
) -> Result<bool> {
    let keys = key.vouchers();
    let of_subject =
        |it: &&(Manifest, Vec<u8>)| it.0.subject.as_ref().is_some_and(|it| it.digest == *subject);
    for layer in signatures.iter().filter(of_subject).flat_map(|(manifest, _)| &manifest.layers) {
        let bundle = layout.blob(&layer.digest, MAX_MANIFEST_BYTES)?;
        if pdp_policies::trust::signed_artifact("", subject, &[bundle], &keys).is_ok() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The bundle: a DSSE envelope over an in-toto statement, and a hint which key made it.
pub(crate) fn bundle(
    subject: &Digest,
    predicate_type: &str,
    predicate: &Value,
    key: &SigningKey,
) -> Result<Vec<u8>> {
    let statement = serde_json::to_vec(&json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { "sha256": subject.hex() } }],
        "predicateType": predicate_type,
        "predicate": predicate,
    }))
    .map_err(internal)?;
    let signature = key.sign(&sigstore_types::pae(IN_TOTO, &statement))?;
    let der = sigstore_types::DerPublicKey::from_pem(&key.public_pem).map_err(internal)?;
    serde_json::to_vec(&json!({
        "mediaType": SIGSTORE_BUNDLE,
        "verificationMaterial": { "publicKey": { "hint": STANDARD.encode(Digest::of(der.as_bytes()).as_bytes()) } },
        "dsseEnvelope": {
            "payload": STANDARD.encode(&statement),
            "payloadType": IN_TOTO,
            "signatures": [{ "sig": STANDARD.encode(signature) }],
        },
    }))
    .map_err(internal)
}

/// The manifest that attaches a bundle.
pub(crate) fn referrer(subject: &Descriptor, predicate_type: &str, bundle: &Descriptor) -> Result<Vec<u8>> {
    let subject = Descriptor { annotations: BTreeMap::new(), artifact_type: None, ..subject.clone() };
    let manifest = Manifest {
        schema_version: 2,
        media_type: MANIFEST_TYPE.to_owned(),
        artifact_type: Some(SIGSTORE_BUNDLE.to_owned()),
        config: Descriptor::of(EMPTY_TYPE, EMPTY_CONFIG),
        layers: vec![bundle.clone()],
        subject: Some(subject),
        annotations: BTreeMap::from([
            ("dev.sigstore.bundle.content".to_owned(), "dsse-envelope".to_owned()),
            (PREDICATE_TYPE.to_owned(), predicate_type.to_owned()),
            ("org.opencontainers.image.created".to_owned(), "1970-01-01T00:00:00Z".to_owned()),
        ]),
    };
    serde_json::to_vec(&manifest).map_err(internal)
}
