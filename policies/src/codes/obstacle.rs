//! Obstacles judge one candidate level of a valid instruction: "not yet", with owner and next time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::At;

/// Why a level can't start now. Each has one owner: who can take it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum ObstacleCode {
    /// The vendor has not opened the level to this ring, or not yet to this data plane's cohort.
    RingNotOpenYet,
    /// The vendor withdrew the level; the fixing level is named.
    Withdrawn,
    /// The vendor's brake is on for the whole channel.
    Stopped,
    /// The rollout of this level is halted in this ring.
    Halted,
    /// An earlier level must be installed first.
    RequiredStopFirst,
    /// The level needs another version of pdp-sync, Kubernetes or Flux, or goes on another level than the installed one.
    RequiresUnmet,
    /// The level failed here before and was taken back.
    Quarantined,
    /// The catalog is past its expiry: nothing new starts on old news.
    CatalogExpired,
    /// The channel server hasn't granted the start.
    NoGrant,
    /// The customer pinned another level.
    Pinned,
    /// No maintenance window is open.
    OutsideWindow,
    /// The customer froze changes.
    Frozen,
    /// The customer's approval is missing.
    AwaitingApproval,
    /// Younger than the customer's minimum age.
    TooYoung,
    /// Another data plane of the customer has to be healthy first.
    AfterOther,
    /// Something in the customer's policy protects nothing or can never be met: a slip, so nothing starts until it is put right.
    PolicyIneffective,
    /// A person suspended a component in Flux.
    ComponentSuspended,
    /// A file or object that pdp-sync owns was edited by someone else.
    HeldByEdit,
    /// The customer's values don't fit the chart's schema, or name an image.
    CustomerValuesInvalid,
    /// An object that would be written belongs to someone else.
    ForeignOwner,
    /// A component's workload runs an image that neither the release nor the customer's `ownImages` names.
    ForeignImage,
    /// An image of the level, or a part of one, isn't where nodes pull it from; with a mirror the customer fills it.
    ImageMissing,
}

/// Who can take an obstacle away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Owner {
    /// WSO2.
    Vendor,
    /// The people who own the data plane.
    Customer,
}

impl ObstacleCode {
    /// The code as it appears in status, reports and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RingNotOpenYet => "RingNotOpenYet",
            Self::Withdrawn => "Withdrawn",
            Self::Stopped => "Stopped",
            Self::Halted => "Halted",
            Self::RequiredStopFirst => "RequiredStopFirst",
            Self::RequiresUnmet => "RequiresUnmet",
            Self::Quarantined => "Quarantined",
            Self::CatalogExpired => "CatalogExpired",
            Self::NoGrant => "NoGrant",
            Self::Pinned => "Pinned",
            Self::OutsideWindow => "OutsideWindow",
            Self::Frozen => "Frozen",
            Self::AwaitingApproval => "AwaitingApproval",
            Self::TooYoung => "TooYoung",
            Self::AfterOther => "AfterOther",
            Self::PolicyIneffective => "PolicyIneffective",
            Self::ComponentSuspended => "ComponentSuspended",
            Self::HeldByEdit => "HeldByEdit",
            Self::CustomerValuesInvalid => "CustomerValuesInvalid",
            Self::ForeignOwner => "ForeignOwner",
            Self::ForeignImage => "ForeignImage",
            Self::ImageMissing => "ImageMissing",
        }
    }

    /// Who can take it away.
    pub fn owner(self) -> Owner {
        match self {
            Self::RingNotOpenYet
            | Self::Withdrawn
            | Self::Stopped
            | Self::Halted
            | Self::RequiredStopFirst
            | Self::Quarantined
            | Self::CatalogExpired
            | Self::NoGrant
            | Self::ImageMissing => Owner::Vendor,
            Self::RequiresUnmet
            | Self::Pinned
            | Self::OutsideWindow
            | Self::Frozen
            | Self::AwaitingApproval
            | Self::TooYoung
            | Self::AfterOther
            | Self::PolicyIneffective
            | Self::ComponentSuspended
            | Self::HeldByEdit
            | Self::CustomerValuesInvalid
            | Self::ForeignOwner
            | Self::ForeignImage => Owner::Customer,
        }
    }
}

impl std::fmt::Display for ObstacleCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One obstacle in the way of one level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Obstacle {
    /// The stable code.
    pub code: ObstacleCode,
    /// Who can take it away.
    pub owner: Owner,
    /// When it will be gone by itself at the earliest; none if only a person can tell.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<At>,
    /// The cause, for people; never parsed.
    pub detail: String,
}

impl Obstacle {
    /// An obstacle that goes away by itself at `next`, or never.
    pub fn new(code: ObstacleCode, next: Option<At>, detail: impl Into<String>) -> Self {
        let detail = crate::printable_lines(&detail.into());
        Self { code, owner: code.owner(), next, detail }
    }
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)?;
        match self.next {
            Some(at) => write!(f, " (until {at})"),
            None => Ok(()),
        }
    }
}
