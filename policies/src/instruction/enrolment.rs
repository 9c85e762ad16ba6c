//! A PDP introduces itself once, with a one-time token.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::names::{DataPlaneName, Organization, PdpId, Ring};
use crate::time::Span;

/// A one-time token as the channel server makes it: `pdpe_` and 256 bits as base64url without padding. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrolmentToken(String);

/// A text that isn't an enrolment token. It doesn't say what it was: that may be another secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an enrolment token: it begins with `pdpe_` and has 43 more letters, digits, `-` or `_`")]
pub struct NoEnrolmentToken;

impl EnrolmentToken {
    /// What is sent.
    pub fn into_text(self) -> String {
        self.0
    }
}

impl std::str::FromStr for EnrolmentToken {
    type Err = NoEnrolmentToken;

    fn from_str(text: &str) -> Result<Self, NoEnrolmentToken> {
        let rest = text.strip_prefix("pdpe_").ok_or(NoEnrolmentToken)?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        match rest.len() == 43 && rest.bytes().all(plain) {
            true => Ok(Self(text.to_owned())),
            false => Err(NoEnrolmentToken),
        }
    }
}

impl std::fmt::Debug for EnrolmentToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EnrolmentToken(***)")
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_server_makes_is_an_enrolment_token() {
        let token = format!("pdpe_{}", "aB3_-".repeat(9).split_at(43).0);
        assert!(token.parse::<EnrolmentToken>().is_ok());
        let pem = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----";
        for other in [
            "",
            "pdpe_",
            &token[..47],
            &format!("{token}x"),
            &format!(" {token}"),
            &format!("{token}\n"),
            &token.replace("pdpe_", "pdpt_"),
            &token.replace('-', "+"),
            pem,
        ] {
            assert_eq!(other.parse::<EnrolmentToken>(), Err(NoEnrolmentToken), "{}", other.len());
        }
    }
}
