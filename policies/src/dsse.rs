//! DSSE envelopes of instructions and reports: one payload type each, Ed25519 signatures.

use base64::{Engine, engine::general_purpose::STANDARD};
use sigstore_crypto::VerificationKey;
use sigstore_types::{DerPublicKey, DsseEnvelope};

use crate::codes::{Refusal, RefusalCode};

/// The largest envelope that is read (bytes).
pub const MAX_ENVELOPE_BYTES: usize = 1024 * 1024;

/// Payload type of an assignment.
pub const ASSIGNMENT: &str = "application/vnd.wso2.pdp.assignment.v1+json";
/// Payload type of a ring state.
pub const RING_STATE: &str = "application/vnd.wso2.pdp.ring-state.v1+json";
/// Payload type of a report.
pub const REPORT: &str = "application/vnd.wso2.pdp.report.v1+json";

/// The payload of an envelope that one of `keys` signed under exactly this payload type.
///
/// # Errors
/// `TooLarge`, `Unreadable`, `WrongPredicate` for another payload type, `SignatureThreshold`.
pub fn open(
    subject: &str,
    envelope: &[u8],
    payload_type: &str,
    keys: &[DerPublicKey],
) -> Result<Vec<u8>, Refusal> {
    let refuse = |code, detail: String| Refusal::new(code, subject, detail);
    if envelope.len() > MAX_ENVELOPE_BYTES {
        return Err(refuse(RefusalCode::TooLarge, format!("{} bytes", envelope.len())));
    }
    let envelope: DsseEnvelope =
        serde_json::from_slice(envelope).map_err(|e| refuse(RefusalCode::Unreadable, e.to_string()))?;
    if envelope.payload_type != payload_type {
        return Err(refuse(RefusalCode::WrongPredicate, format!("it is not a {payload_type}")));
    }
    let signed = envelope.pae();
    let keys: Vec<_> = keys.iter().filter_map(|key| VerificationKey::from_spki(key).ok()).collect();
    let valid = keys.iter().any(|key| key.verify(&signed, &envelope.signature.sig).is_ok());
    if !valid {
        return Err(refuse(RefusalCode::SignatureThreshold, "no signature by a key that may direct".into()));
    }
    Ok(envelope.payload.into_bytes())
}

/// An envelope with one signature. `sign` gets the bytes to sign: DSSE's pre-authentication encoding.
///
/// # Errors
/// What `sign` fails with.
pub fn seal<E>(
    payload_type: &str,
    payload: &[u8],
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
) -> Result<Vec<u8>, E> {
    let signature = sign(&sigstore_types::pae(payload_type, payload))?;
    let (payload, signature) = (STANDARD.encode(payload), STANDARD.encode(signature));
    let envelope = serde_json::json!({
        "payloadType": payload_type, "payload": payload, "signatures": [{ "sig": signature }],
    });
    Ok(envelope.to_string().into_bytes())
}
