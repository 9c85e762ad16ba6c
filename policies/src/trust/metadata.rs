//! Writing TUF metadata: payload, canonical bytes to sign, envelope. Reading back is the judge's work.
//!
//! Format: TUF 1.0, consistent snapshots off, `expires` in whole seconds, target names flat.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use sigstore_tuf::Key;

use crate::codes::{Refusal, RefusalCode};
use crate::digest::Digest;
use crate::time::At;

/// The TUF specification that the files follow.
pub const SPEC_VERSION: &str = "1.0.31";

/// The field of root and targets that names who holds which key, by its id. Not within the key: some clients count all of
/// a key into its id.
pub const HOLDERS: &str = "x-pdp-holders";
/// The bytes before a raw Ed25519 key in its SPKI form (RFC 8410).
const ED25519_SPKI: usize = 12;

/// A public key as TUF lists it, under its canonical id: ECDSA as PEM, Ed25519 as the 32 bytes in hex. Catalogs that list
/// an Ed25519 key as PEM are read, too.
///
/// # Errors
/// When the text is not a P-256 or Ed25519 public key in SPKI PEM.
pub fn key(public_pem: &str) -> Result<(String, Value), String> {
    let der = sigstore_types::DerPublicKey::from_pem(public_pem).map_err(|e| e.to_string())?;
    let raw = || der.as_bytes().get(ED25519_SPKI..).map(hex::encode).unwrap_or_default();
    let (keytype, scheme, public) =
        match sigstore_crypto::VerificationKey::from_spki(&der).map_err(|e| e.to_string())?.scheme() {
            sigstore_crypto::SigningScheme::EcdsaP256Sha256 => {
                ("ecdsa", "ecdsa-sha2-nistp256", public_pem.to_owned())
            }
            sigstore_crypto::SigningScheme::Ed25519 => ("ed25519", "ed25519", raw()),
            other => return Err(format!("{} keys are not used here; use ECDSA P-256", other.name())),
        };
    let value = json!({ "keytype": keytype, "scheme": scheme, "keyval": { "public": public } });
    let key: Key = serde_json::from_value(value.clone()).map_err(|e| e.to_string())?;
    Ok((key.key_id().map_err(|e| e.to_string())?, value))
}

/// The bare public key of a listed one, whatever text form it was written in; none if nobody could verify with it.
pub fn material(listed: &Value) -> Option<Vec<u8>> {
    let key: Key = serde_json::from_value(listed.clone()).ok()?;
    Some(key.verification_key().ok()?.as_bytes().to_vec())
}

/// The payload of a `targets` role (top level or delegated).
pub fn targets(
    version: u64,
    expires: At,
    targets: &BTreeMap<String, Value>,
    delegations: Option<Value>,
) -> Value {
    let mut signed = json!({
        "_type": "targets", "spec_version": SPEC_VERSION, "version": version,
        "expires": expires.to_string(), "targets": targets,
    });
    if let Some(delegations) = delegations {
        signed["delegations"] = delegations;
    }
    signed
}

/// How a `targets` role names one file: length and SHA-256.
pub fn target(content: &[u8]) -> Value {
    json!({ "length": content.len(), "hashes": { "sha256": Digest::of(content).hex() } })
}

/// The payload of `snapshot`; `files` are the complete role files by name (`targets.json`, ...).
///
/// # Errors
/// When a file is not TUF metadata.
pub fn snapshot(signed_at: At, expires: At, files: &BTreeMap<String, Vec<u8>>) -> Result<Value, String> {
    let mut meta = BTreeMap::new();
    for (name, bytes) in files {
        meta.insert(name, pin(version(bytes)?, bytes));
    }
    Ok(json!({
        "_type": "snapshot", "spec_version": SPEC_VERSION, "version": signed_at.unix(),
        "expires": expires.to_string(), "meta": meta,
    }))
}

/// The payload of `timestamp` over a complete snapshot file.
///
/// # Errors
/// When `snapshot` is not TUF metadata.
pub fn timestamp(signed_at: At, expires: At, snapshot: &[u8]) -> Result<Value, String> {
    Ok(json!({
        "_type": "timestamp", "spec_version": SPEC_VERSION, "version": signed_at.unix(),
        "expires": expires.to_string(), "meta": { "snapshot.json": pin(version(snapshot)?, snapshot) },
    }))
}

/// The version that a role file states; nothing is verified.
///
/// # Errors
/// When the bytes are not TUF metadata.
pub fn version(file: &[u8]) -> Result<u64, String> {
    let value: Value = serde_json::from_slice(file).map_err(|e| e.to_string())?;
    value["signed"]["version"].as_u64().ok_or_else(|| "the file states no version".to_owned())
}

/// Refuses an expiry in any but the one form that TUF knows, `2027-01-31T00:00:00Z`: readers that take more than that
/// disagree with those that don't.
///
/// # Errors
/// `Unreadable`.
pub(super) fn check_expires(subject: &str, file: &[u8]) -> Result<(), Refusal> {
    // Nothing else of the file is kept: one of 500 levels is read here once more.
    #[derive(Default, Deserialize)]
    struct Signed {
        expires: String,
    }
    #[derive(Default, Deserialize)]
    struct File {
        signed: Signed,
    }
    let File { signed: Signed { expires: stated } } = serde_json::from_slice(file).unwrap_or_default();
    if stated.parse::<At>().is_ok_and(|at| at.to_string() == stated) {
        return Ok(());
    }
    let detail = format!("`{}` is no expiry: write YYYY-MM-DDTHH:MM:SSZ", stated.escape_default());
    Err(Refusal::new(RefusalCode::Unreadable, subject, detail))
}

fn pin(version: u64, bytes: &[u8]) -> Value {
    json!({ "version": version, "length": bytes.len(), "hashes": { "sha256": Digest::of(bytes).hex() } })
}

/// The bytes that are signed: TUF's canonical JSON of the payload.
///
/// # Errors
/// When the payload holds a fraction.
pub fn signing_bytes(signed: &Value) -> Result<Vec<u8>, String> {
    sigstore_tuf::canonical_json::to_canonical_bytes(signed).map_err(|e| e.to_string())
}

/// The signed bytes of a complete file, empty if it isn't one.
pub(super) fn payload_bytes(file: &[u8]) -> Vec<u8> {
    let file: Value = serde_json::from_slice(file).unwrap_or_default();
    signing_bytes(&file["signed"]).unwrap_or_default()
}

/// The complete file: payload and signatures by key id, two spaces, one newline.
///
/// # Errors
/// Never in practice; JSON values always serialize.
pub fn envelope(signed: &Value, signatures: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, String> {
    let list: Vec<_> =
        signatures.iter().map(|(keyid, sig)| json!({ "keyid": keyid, "sig": hex::encode(sig) })).collect();
    let mut bytes = serde_json::to_vec_pretty(&json!({ "signatures": list, "signed": signed }))
        .map_err(|e| e.to_string())?;
    bytes.push(b'\n');
    Ok(bytes)
}
