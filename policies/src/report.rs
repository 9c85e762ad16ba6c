//! What leaves a PDP: versions, digests and codes from closed lists. No text, no values, no logs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::codes::{ObstacleCode, RefusalCode};
use crate::digest::{Digest, hex_form};
use crate::names::{ComponentName, DataPlaneName, Level, Organization};
use crate::time::At;

/// DSSE payload `application/vnd.wso2.pdp.report.v1+json`, signed by the PDP's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Always [`crate::API_VERSION`].
    pub api_version: String,
    /// Features that a reader must know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical: Vec<String>,
    /// When it was written.
    pub issued: At,
    /// When it is worth nothing any more.
    pub expires: At,
    /// Who reports.
    pub organization: Organization,
    /// Who reports.
    pub data_plane: DataPlaneName,
    /// SHA-256 of the UID of the namespace kube-system; none without a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<Digest>,
    /// The last good level.
    #[serde(default)]
    pub current: Option<LevelDigest>,
    /// Since when it runs healthy without a break; none if it doesn't, or nobody measures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy_since: Option<At>,
    /// The level being applied, waited for or given up.
    #[serde(default)]
    pub target: Option<TargetState>,
    /// The catalog that was used.
    pub catalog: CatalogVersions,
    /// Version of pdp-sync.
    pub pdp_sync: String,
}

/// A level by content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LevelDigest {
    /// The level.
    pub level: Level,
    /// SHA-256 of its descriptor (hex).
    #[serde(with = "hex_form")]
    #[schemars(with = "String")]
    pub sha256: Digest,
}

/// How far a PDP has come with a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TargetState {
    /// The level.
    pub level: Level,
    /// SHA-256 of its descriptor (hex).
    #[serde(with = "hex_form")]
    #[schemars(with = "String")]
    pub sha256: Digest,
    /// Which try of this level it is, from 1.
    pub attempt: u32,
    /// How far it is.
    pub state: ReportState,
    /// The component that failed or is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<ComponentName>,
    /// Why it isn't healthy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<ReportCode>,
}

/// The states of a level in a PDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ReportState {
    /// The customer's own rules hold it.
    Deferred,
    /// The vendor hasn't opened it.
    Waiting,
    /// The gate is open, nothing is written yet.
    Ready,
    /// It was started.
    Started,
    /// Written, nobody measured health.
    Written,
    /// Healthy and settled.
    Healthy,
    /// It failed and is being taken back, or was.
    Failed,
}

/// A code from one of the closed lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ReportCode {
    /// Why it hasn't started.
    Obstacle(ObstacleCode),
    /// Which document was refused.
    Refusal(RefusalCode),
}

/// Versions of the catalog's roles; timestamp and snapshot are Unix seconds of signing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CatalogVersions {
    /// Version of the role `timestamp`.
    pub timestamp: u64,
    /// Version of the role `channels`.
    pub channels: u64,
    /// Version of the role `targets`.
    pub targets: u64,
}
