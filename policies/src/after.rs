//! A data plane of the same organization that goes first, and its report as somebody hands it on.

use base64::{Engine, engine::general_purpose::STANDARD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sigstore_types::DerPublicKey;

use crate::digest::Digest;
use crate::names::DataPlaneName;
use crate::time::Span;

/// A data plane that has to be healthy on a level first. Its reports are believed by its key, whoever brings them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct After {
    /// Which one.
    pub data_plane: DataPlaneName,
    /// Its public key: base64 of the SPKI, as PEM holds it. This or `fingerprint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub key: Option<String>,
    /// SHA-256 of its public key (SPKI, DER). This or `key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Digest>,
    /// For how long it has to be healthy on the level without a break.
    pub healthy_for: Span,
}

/// A data plane's last report, with the key that signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HandedReport {
    /// SPKI, PEM.
    pub public_key: String,
    /// The DSSE envelope, as it was signed (JSON).
    pub envelope: String,
}

impl After {
    /// True if this is the key that is meant.
    pub(crate) fn is_key(&self, der: &DerPublicKey) -> bool {
        let digest = Digest::of(der.as_bytes());
        self.pinned().is_ok_and(|pinned| pinned == digest)
    }

    /// SHA-256 of the key that is meant.
    fn pinned(&self) -> Result<Digest, String> {
        match (&self.key, self.fingerprint) {
            (None, Some(fingerprint)) => Ok(fingerprint),
            (Some(key), None) => match STANDARD.decode(key) {
                Ok(der) => Ok(Digest::of(&der)),
                Err(_) => Err("key isn't base64 of a public key".to_owned()),
            },
            _ => Err("names either `key` or `fingerprint`".to_owned()),
        }
    }

    /// Why nobody could ever meet it.
    pub(crate) fn problem(&self) -> Option<String> {
        self.pinned().err()
    }
}
