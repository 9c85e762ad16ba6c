//! The director's word to a whole ring, for PDPs without the server.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, hex_form};
use crate::names::{Level, Line, Ring};
use crate::plan::Percent;
use crate::time::At;

/// DSSE payload `application/vnd.wso2.pdp.ring-state.v1+json`, signed by a director key.
///
/// Who belongs to a ring is not in it: it would name customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RingState {
    /// Always [`crate::API_VERSION`].
    pub api_version: String,
    /// Features that a reader must know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical: Vec<String>,
    /// Ordered by this; the older is ignored.
    pub issued: At,
    /// At most seven days after `issued`.
    pub expires: At,
    /// The release line.
    pub line: Line,
    /// What is open to whom.
    pub levels: BTreeMap<Level, RingLevel>,
    /// Head of the server's event log: a restored server that is behind it grants nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit_head: Option<Digest>,
}

/// One level in the ring state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RingLevel {
    /// SHA-256 of the release descriptor (hex).
    #[serde(with = "hex_form")]
    #[schemars(with = "String")]
    pub sha256: Digest,
    /// Per ring.
    pub rings: BTreeMap<Ring, RingShare>,
}

/// One ring's share of a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RingShare {
    /// The cohort that may start.
    pub percent: Percent,
    /// True while the rollout is halted here: nothing starts.
    #[serde(default)]
    pub halted: bool,
    /// Which try of this level it is, from 1.
    pub attempt: u32,
}
