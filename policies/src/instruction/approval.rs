//! The customer's signed yes to one release, in the air gap or where a policy asks for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, hex_form};
use crate::names::{DataPlaneName, Organization};
use crate::time::{At, Span};

/// The SSHSIG namespace of approvals: `ssh-keygen -Y sign -n approval@updates.pdp.wso2.com`.
pub const APPROVAL_NAMESPACE: &str = "approval@updates.pdp.wso2.com";
/// An approval lives at most this long.
pub const MAX_APPROVAL_LIFE: Span = Span::from_seconds(90 * 86_400);

/// The approval document; an SSHSIG over exactly its bytes goes with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
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
    /// SHA-256 of the release descriptor (hex): an approval binds content, not a number.
    #[serde(with = "hex_form")]
    #[schemars(with = "String")]
    pub sha256: Digest,
    /// Yes or no; one no is enough.
    pub decision: ApprovalDecision,
    /// Who asked for it; may not sign it.
    pub requester: String,
    /// The signed request that it answers, by the SHA-256 of its bytes; needed where the policy lists `requesters`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Digest>,
    /// Why.
    pub reason: String,
    /// The change ticket, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ApprovalDecision {
    /// It may start.
    Approve,
    /// It may not.
    Reject,
}
