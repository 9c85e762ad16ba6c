//! A PDP introduces itself once, with a one-time token.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::names::{DataPlaneName, Organization, PdpId, Ring};
use crate::time::Span;

/// What the PDP sends. Same token and key: same answer; same token, other key: refused and recorded.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Enrolment {
    /// Always [`crate::API_VERSION`].
    pub api_version: String,
    /// The one-time token; never logged.
    pub token: String,
    /// The customer.
    pub organization: Organization,
    /// The data plane.
    pub data_plane: DataPlaneName,
    /// The PDP's Ed25519 public key, SPKI PEM.
    pub public_key: String,
    /// SHA-256 of the UID of the namespace kube-system; none without a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<Digest>,
    /// Version of pdp-sync.
    pub pdp_sync: String,
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Enrolment({}/{})", self.organization, self.data_plane)
    }
}

/// What the server answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Enrolled {
    /// The PDP as the server knows it.
    pub id: PdpId,
    /// Its ring at enrolment; the PDP keeps it.
    pub ring: Ring,
    /// When to ask for the first assignment.
    pub poll_after: Span,
}
