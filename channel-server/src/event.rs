//! What is ever written down: every change of the server's mind, as one append-only list.

use pdp_policies::rollout::RolloutEvent;
use pdp_policies::{At, DataPlaneName, Digest, Level, Line, Organization, PdpId, Ring};
use pdp_transport::channel_server::Role;
use serde::{Deserialize, Serialize};

/// One thing that happened. Stored as JSON; fields may be added, never renamed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Event {
    /// An organization was added, or moved to another ring.
    OrganizationSet { organization: Organization, ring: Ring, reason: String },
    /// A data plane got a ring of its own, or lost it.
    RingOverridden {
        organization: Organization,
        data_plane: DataPlaneName,
        ring: Option<Ring>,
        reason: String,
    },
    /// A one-time token was made; only its hash is kept.
    EnrolmentTokenIssued { organization: Organization, data_plane: DataPlaneName, hash: Digest, expires: At },
    /// A data plane introduced itself with a token.
    Enrolled(Box<Enrolment>),
    /// A used token came with another key: stolen, or copied. Recorded once per key.
    EnrolmentRefused {
        organization: Organization,
        data_plane: DataPlaneName,
        token: Digest,
        public_key: Digest,
    },
    /// A data plane was shut out; it may enrol anew with a new token.
    Revoked { organization: Organization, data_plane: DataPlaneName, reason: String },
    /// A person got an API token.
    TokenCreated { id: String, name: String, role: Role, organization: Option<Organization>, expires: At },
    /// An API token was taken back.
    TokenRevoked { id: String },
    /// The catalog changed in a role of people; these versions are followed now.
    CatalogFollowed { channels: u64, targets: u64 },
    /// The catalog was refused; the one before is followed on.
    CatalogRefused { code: String, detail: String },
    /// Something happened to a rollout.
    Rollout { line: Line, level: Level, sha256: Digest, event: RolloutEvent },
    /// A person halted everything.
    EverythingHalted { by: String, reason: String },
    /// The first of two people wants that to end.
    EverythingResumeAsked { by: String, reason: String },
    /// The second of two people: it ends.
    EverythingResumed { by: String, reason: String },
    /// Reports were refused for a while, as the database took no writes: who was silent until now may have tried.
    ListensAnew {},
    /// The server was restored from a backup that is behind the published ring state.
    Restored { reason: String },
}

/// Who enrolled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Enrolment {
    pub(crate) organization: Organization,
    pub(crate) data_plane: DataPlaneName,
    /// Hash of the token that was used.
    pub(crate) token: Digest,
    /// SPKI PEM.
    pub(crate) public_key: String,
    pub(crate) cluster_id: Option<Digest>,
    pub(crate) pdp_sync: String,
    /// The ring that was answered.
    pub(crate) ring: Ring,
}

impl Event {
    /// What it is about, for people who filter.
    pub(crate) fn subject(&self) -> String {
        match self {
            Self::OrganizationSet { organization, .. } => organization.to_string(),
            Self::RingOverridden { organization, data_plane, .. }
            | Self::EnrolmentTokenIssued { organization, data_plane, .. }
            | Self::EnrolmentRefused { organization, data_plane, .. }
            | Self::Revoked { organization, data_plane, .. } => format!("{organization}/{data_plane}"),
            Self::Enrolled(enrolment) => format!("{}/{}", enrolment.organization, enrolment.data_plane),
            Self::TokenCreated { id, .. } | Self::TokenRevoked { id } => format!("token {id}"),
            Self::CatalogFollowed { .. } | Self::CatalogRefused { .. } => "catalog".to_owned(),
            Self::Rollout { line, level, .. } => format!("{line}/{level}"),
            Self::EverythingHalted { .. }
            | Self::EverythingResumeAsked { .. }
            | Self::EverythingResumed { .. } => "everything".to_owned(),
            Self::Restored { .. } | Self::ListensAnew {} => "server".to_owned(),
        }
    }

    /// An event of a rollout.
    pub(crate) fn of_rollout(line: &Line, level: Level, sha256: Digest, event: RolloutEvent) -> Self {
        Self::Rollout { line: line.clone(), level, sha256, event }
    }
}

impl Enrolment {
    pub(crate) fn pdp(&self) -> PdpId {
        PdpId { organization: self.organization.clone(), data_plane: self.data_plane.clone() }
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Actor {
    /// The server by itself.
    Server,
    /// Someone at the server's own command line.
    Operator,
    /// A data plane.
    DataPlane(PdpId),
    /// A person, by the name of their token.
    Person(String),
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Server => f.write_str("server"),
            Self::Operator => f.write_str("operator"),
            Self::DataPlane(pdp) => write!(f, "pdp:{pdp}"),
            Self::Person(name) => write!(f, "token:{name}"),
        }
    }
}
