//! What all signed documents share: `apiVersion`, `critical`, and how unknown things are met.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codes::{Refusal, RefusalCode};

/// The version of all documents. It is frozen; new features are announced in `critical` or are optional.
pub const API_VERSION: &str = "updates.pdp.wso2.com/v1";

/// Features that may stand in `critical` and that this program honours.
pub const KNOWN_FEATURES: &[&str] = &[
    crate::hotfix::AUDIENCES,
    crate::image_values::IMAGE_VALUES,
    crate::image_values::IMAGE_VALUES_OTHERS,
    crate::release_values::RELEASE_VALUES,
    crate::version_range::VERSION_RANGES,
];

/// The part of a document that is read before all else.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    api_version: String,
    #[serde(default)]
    critical: Vec<String>,
}

/// Reads a signed document: unknown fields are ignored, unknown critical features refuse it.
///
/// # Errors
/// `Unreadable` for bytes that are not this document, `UnknownCriticalFeature`.
pub fn read<T: DeserializeOwned>(subject: &str, bytes: &[u8]) -> Result<T, Refusal> {
    let unreadable = |e: serde_json::Error| Refusal::new(RefusalCode::Unreadable, subject, e.to_string());
    let header: Header = serde_json::from_slice(bytes).map_err(unreadable)?;
    if let Some(unknown) = header.critical.iter().find(|f| !KNOWN_FEATURES.contains(&f.as_str())) {
        let detail = format!("it needs the feature `{}`", shown(unknown));
        return Err(Refusal::new(RefusalCode::UnknownCriticalFeature, subject, detail));
    }
    if header.api_version != API_VERSION {
        let detail = format!("apiVersion is `{}`, not `{API_VERSION}`", shown(&header.api_version));
        return Err(Refusal::new(RefusalCode::Unreadable, subject, detail));
    }
    serde_json::from_slice(bytes).map_err(unreadable)
}

/// Writes a document as JSON for people and machines: two spaces, fields in the order of the type, one newline.
///
/// # Errors
/// Only when a map key is not a text, which no document of ours has.
pub fn write<T: Serialize>(document: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn shown(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_default).collect()
}
