//! A person's signed request to approve one release.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, hex_form};
use crate::names::{DataPlaneName, Organization};
use crate::time::At;

/// The SSHSIG namespace of requests: `ssh-keygen -Y sign -n request@updates.pdp.wso2.com`.
pub const REQUEST_NAMESPACE: &str = "request@updates.pdp.wso2.com";

/// The request document; an SSHSIG over exactly its bytes goes with it. Approvals name it by the SHA-256 of these bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalRequest {
    /// Always [`crate::API_VERSION`].
    pub api_version: String,
    /// Features that a reader must know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical: Vec<String>,
    /// When it was written.
    pub issued: At,
    /// At most 90 days after `issued`.
    pub expires: At,
    /// Whom it is for.
    pub organization: Organization,
    /// Whom it is for; all of the organization's data planes if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_plane: Option<DataPlaneName>,
    /// SHA-256 of the release descriptor (hex).
    #[serde(with = "hex_form")]
    #[schemars(with = "String")]
    pub sha256: Digest,
    /// Why.
    pub reason: String,
    /// The change ticket, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}
