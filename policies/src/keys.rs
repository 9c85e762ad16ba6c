//! Which keys may direct, which vouch for artifacts, and which sign statements about them: two targets of the catalog.
//!
//! Statement keys stand in the artifact keys' file: a reader that doesn't know them refuses a catalog with a further target,
//! and passes over a further field.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::codes::{Refusal, RefusalCode};
use crate::document;
use crate::time::At;

/// The catalog target that lists the director's keys (Ed25519).
pub const DIRECTOR_KEYS: &str = "director-keys.json";
/// The catalog target that lists the keys that sign OCI artifacts (ECDSA P-256).
pub const ARTIFACT_KEYS: &str = "artifact-keys.json";

/// A list of keys with one purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyList {
    /// Always [`document::API_VERSION`].
    pub api_version: String,
    /// Features that a reader must know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical: Vec<String>,
    /// The keys.
    pub keys: Vec<ListedKey>,
    /// Keys that sign statements about artifacts (SBOMs, VEX) and release nothing; in the list of artifact keys alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statement_keys: Vec<ListedKey>,
}

/// One key of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedKey {
    /// The public key, SPKI PEM.
    pub public_key: String,
    /// What it is good for.
    pub state: KeyState,
    /// When it was put out of use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<At>,
}

/// What a listed key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum KeyState {
    /// Signs and verifies.
    Active,
    /// Signs nothing new. An artifact key counts for the digests of levels promoted before `retiredAt`; a director's key
    /// for nothing: what it said is an instruction, not content.
    Retired,
    /// Nothing that it ever signed is valid.
    Revoked,
}

impl KeyList {
    /// A list with these keys, all active.
    pub fn active(keys: impl IntoIterator<Item = String>) -> Self {
        let state = KeyState::Active;
        let keys =
            keys.into_iter().map(|public_key| ListedKey { public_key, state, retired_at: None }).collect();
        Self::of(keys)
    }

    fn of(keys: Vec<ListedKey>) -> Self {
        let statement_keys = Vec::new();
        Self { api_version: document::API_VERSION.to_owned(), critical: Vec::new(), keys, statement_keys }
    }

    /// The statement keys as a list of their own.
    #[must_use]
    pub fn statements(&self) -> Self {
        Self::of(self.statement_keys.clone())
    }

    /// With these statement keys.
    #[must_use]
    pub fn with_statements(&self, statements: Self) -> Self {
        Self { statement_keys: statements.keys, ..self.clone() }
    }

    /// Reads a key list; every key must be readable and listed once, whatever for: cosign and Flux don't look at what a
    /// signature says, so that a statement by an artifact key would release what it is about.
    ///
    /// # Errors
    /// `Unreadable`, `UnknownCriticalFeature`, `DuplicateKey`.
    pub fn read(subject: &str, bytes: &[u8]) -> Result<Self, Refusal> {
        let list: Self = document::read(subject, bytes)?;
        let all: Vec<_> = list.keys.iter().chain(&list.statement_keys).collect();
        for (n, key) in all.iter().enumerate() {
            let der = key.der().ok_or_else(|| {
                Refusal::new(
                    RefusalCode::Unreadable,
                    subject,
                    format!("key {n} is not an SPKI PEM public key"),
                )
            })?;
            if all[..n].iter().any(|other| other.der().as_ref() == Some(&der)) {
                return Err(Refusal::new(
                    RefusalCode::DuplicateKey,
                    subject,
                    format!("key {n} is listed twice"),
                ));
            }
        }
        Ok(list)
    }

    /// The keys in use.
    pub fn active_keys(&self) -> impl Iterator<Item = &ListedKey> {
        self.keys.iter().filter(|key| key.state == KeyState::Active)
    }
}

impl ListedKey {
    /// The key as DER, none if the text isn't a PEM public key.
    pub fn der(&self) -> Option<sigstore_types::DerPublicKey> {
        sigstore_types::DerPublicKey::from_pem(&self.public_key).ok()
    }
}
