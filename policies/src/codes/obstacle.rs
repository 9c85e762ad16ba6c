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

    /// What usually brings it about.
    pub fn cause(self) -> &'static str {
        match self {
            Self::RingNotOpenYet => "rings are opened one after another, and shares of a ring step by step",
            Self::Withdrawn => "the level turned out to be bad",
            Self::Stopped => "release managers look into something that concerns every level",
            Self::Halted => "too many data planes failed, or a person halted it",
            Self::RequiredStopFirst => "several levels were missed, and one of them must not be left out",
            Self::RequiresUnmet => {
                "pdp-sync, Kubernetes or Flux is older than what the release was tested with"
            }
            Self::Quarantined => "the probe failed, or a workload ran a foreign image",
            Self::CatalogExpired => {
                "a mirror or Flux source lags behind, or the vendor's online signing stands still"
            }
            Self::NoGrant => "caps of the rollout are used up, or the server isn't reached",
            Self::Pinned => "a person set a pin",
            Self::OutsideWindow => "changes are allowed in windows alone",
            Self::Frozen => "a freeze or a hold is in force",
            Self::AwaitingApproval => "the policy asks for more approvals than were given",
            Self::TooYoung => "the policy lets levels ripen before they start",
            Self::AfterOther => {
                "the other data plane isn't at this level, not yet healthy for long enough, or its report didn't come"
            }
            Self::PolicyIneffective => "a date, a time zone or a name in the policy is mistyped",
            Self::ComponentSuspended => "somebody works on the component",
            Self::HeldByEdit => "somebody changed by hand what pdp-sync keeps",
            Self::CustomerValuesInvalid => {
                "a value is mistyped, or the chart's schema changed with the level"
            }
            Self::ForeignOwner => "an older installation, or another tool, made the object",
            Self::ForeignImage => "values or a webhook put another image in",
            Self::ImageMissing => "the mirror wasn't filled, or a registry lost the image",
        }
    }

    /// What the reader of this obstacle can do next.
    pub fn hint(self) -> &'static str {
        match self {
            Self::RingNotOpenYet => "wait: it starts by itself; `kubectl pdp when` says when at the earliest",
            Self::Withdrawn => "wait for the level that replaces it",
            Self::Stopped => {
                "wait, or ask the vendor's support; they let go with `publisher channel stop --release`"
            }
            Self::Halted => {
                "wait, or ask the vendor's support; `publisher rollout status` says who may resume"
            }
            Self::RequiredStopFirst => "wait: the level in between comes first, by itself",
            Self::RequiresUnmet => "update what the detail names; then it starts by itself",
            Self::Quarantined => "find out why it failed (`kubectl pdp history`); a newer level follows",
            Self::CatalogExpired => {
                "fetch anew (`kubectl pdp reconcile --with-source`); if it stays, tell the vendor, who runs `publisher catalog refresh`"
            }
            Self::NoGrant => "wait: it starts by itself; if it stays, check the way to the server",
            Self::Pinned => "wait for its end, or take it away with `kubectl pdp unpin`",
            Self::OutsideWindow => "wait for the window, or change `spec.policy.windows`",
            Self::Frozen => {
                "wait for its end, or take it away with `kubectl pdp unfreeze` (a hold: `spec.policy.hold`)"
            }
            Self::AwaitingApproval => "have it approved: `kubectl pdp request`, then `kubectl pdp approve`",
            Self::TooYoung => "wait, or change `spec.policy.minimumAge`",
            Self::AfterOther => {
                "look at the other one; without a server, bring its report (`kubectl pdp report`)"
            }
            Self::PolicyIneffective => "correct what the detail names in `spec.policy`",
            Self::ComponentSuspended => "resume it: `flux resume helmrelease` or `kustomization`",
            Self::HeldByEdit => "put the object back as it was; `kubectl pdp verify` names what differs",
            Self::CustomerValuesInvalid => {
                "correct the ConfigMap `pdp-values-COMPONENT` that the detail names"
            }
            Self::ForeignOwner => {
                "hand the object over with the label that `kubectl pdp why` prints, or take it away"
            }
            Self::ForeignImage => "take the image out of the values, or list it in `spec.policy.ownImages`",
            Self::ImageMissing => {
                "fill the mirror (`publisher release mirror`); without one, tell the vendor"
            }
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
