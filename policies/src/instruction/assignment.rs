//! The server's word to one PDP.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::codes::ObstacleCode;
use crate::digest::{Digest, hex_form};
use crate::names::{DataPlaneName, Level, Line, Organization, Ring};
use crate::time::{At, Span};

/// DSSE payload `application/vnd.wso2.pdp.assignment.v1+json`, signed by a director key.
///
/// It names a ceiling, never a command: the gate chooses below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Assignment {
    /// Always [`crate::API_VERSION`].
    pub api_version: String,
    /// Features that a reader must know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical: Vec<String>,
    /// Director documents are ordered by this; the older is ignored.
    pub issued: At,
    /// At most 24 hours after `issued`.
    pub expires: At,
    /// Whom it is for.
    pub organization: Organization,
    /// Whom it is for.
    pub data_plane: DataPlaneName,
    /// The ring of this PDP as the server sees it.
    pub ring: Ring,
    /// The highest level it may go to; none holds it where it is.
    #[serde(default)]
    pub ceiling: Option<Ceiling>,
    /// Which try of the ceiling people allow, from 1; where an earlier one failed it may be started again.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub attempt: u32,
    /// Why the server holds, if it does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hold: Vec<ObstacleCode>,
    /// The catalog that the server saw: an older one here means lag.
    pub min_catalog: MinimumCatalog,
    /// The granted start.
    #[serde(default)]
    pub start: Option<Start>,
    /// When to ask again.
    pub poll_after: Span,
}

fn first() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_first(attempt: &u32) -> bool {
    *attempt == 1
}

/// A level by content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ceiling {
    /// The release line.
    pub line: Line,
    /// The level.
    pub level: Level,
    /// Length of its descriptor in bytes.
    pub length: u64,
    /// SHA-256 of its descriptor (hex).
    #[serde(with = "hex_form")]
    #[schemars(with = "String")]
    pub sha256: Digest,
}

/// Versions of the people's roles that the director worked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MinimumCatalog {
    /// Version of the role `channels`.
    pub channels: u64,
    /// Version of the role `targets`.
    pub targets: u64,
}

/// A granted start: what caps count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Start {
    /// The level that may start.
    pub level: Level,
    /// SHA-256 of its descriptor (hex).
    #[serde(with = "hex_form")]
    #[schemars(with = "String")]
    pub sha256: Digest,
    /// Which try of this level it is, from 1.
    pub attempt: u32,
    /// An unused grant lapses then.
    pub until: At,
}

/// `POST ready`: the gate is open, may I start?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ready {
    /// The level that the gate would let through.
    pub level: Level,
    /// SHA-256 of its descriptor (hex).
    #[serde(with = "hex_form")]
    #[schemars(with = "String")]
    pub sha256: Digest,
    /// Which try of this level it is, from 1.
    pub attempt: u32,
}
