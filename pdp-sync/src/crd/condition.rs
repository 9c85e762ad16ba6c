//! Conditions as Kubernetes and Flux read them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition as KubernetesCondition;
use serde::{Deserialize, Serialize};

/// A Kubernetes condition (`metav1.Condition`).
pub type Condition = KubernetesCondition;

/// The conditions of an `UpdateSubscription`. `Ready` is always there; the others only while they are true,
/// so that an abnormal one is never overlooked (Flux's contract for `Reconciling` and `Stalled`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConditionType {
    /// Nothing is under way and nothing is wrong.
    Ready,
    /// Something is under way, or is tried again by itself.
    Reconciling,
    /// A person has to do something.
    Stalled,
    /// What is installed was verified from the root to the last digest.
    Verified,
    /// The catalog is older than 26 hours.
    CatalogStale,
    /// A level waits; the reason is the first obstacle's code.
    Blocked,
    /// Everything that is installed is healthy and settled.
    Healthy,
    /// Nothing newer is promoted.
    UpToDate,
    /// Components of two levels run side by side after a failure.
    Mixed,
    /// Something runs an image that neither the release nor the customer names.
    ForeignImage,
    /// Something in the customer's policy protects nothing or can never be met; nothing starts.
    PolicyIneffective,
    /// Below the vendor's security floor.
    Exposed,
    /// The server named an earlier ring than the data plane's own.
    EarlierRing,
    /// An instruction was refused.
    InstructionRefused,
    /// No instruction can be had now.
    InstructionUnavailable,
}

impl ConditionType {
    /// The type as it stands in the object.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
            Self::Verified => "Verified",
            Self::CatalogStale => "CatalogStale",
            Self::Blocked => "Blocked",
            Self::Healthy => "Healthy",
            Self::UpToDate => "UpToDate",
            Self::Mixed => "Mixed",
            Self::ForeignImage => "ForeignImage",
            Self::PolicyIneffective => "PolicyIneffective",
            Self::Exposed => "Exposed",
            Self::EarlierRing => "EarlierRing",
            Self::InstructionRefused => "InstructionRefused",
            Self::InstructionUnavailable => "InstructionUnavailable",
        }
    }
}
