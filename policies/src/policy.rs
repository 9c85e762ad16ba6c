//! The customer's instruments: what wins in the PDP, always.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::after::After;
pub use crate::approval_rule::{ApprovalGroup, ApprovalRule, Approver, Person, Superseded, Touch};
use crate::channel::Overridable;
use crate::cron_rule::CronRule;
use crate::image_name::ImageName;
use crate::loosened::{Loosening, loosened};
use crate::names::Level;
use crate::release::Severity;
use crate::time::{At, Span};
pub use crate::time_zone::ZoneName;

/// The policy of one data plane; empty means: take what the vendor opens, at any time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Policy {
    /// Stay at a level, or take security releases only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<Pin>,
    /// Start nothing until a person takes this away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// When starts are allowed; always if there is no window of kind `allow`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub windows: Vec<Window>,
    /// Start nothing between two times.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub freezes: Vec<Freeze>,
    /// Let a level ripen before it is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_age: Option<MinimumAge>,
    /// People who must say yes to each release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalRule>,
    /// Data planes of the same organization that have to be healthy on the level first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub after: Vec<After>,
    /// What a release may pass if it asks for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<OverrideRule>,
    /// Images of the customer's own that components may run beside the release's, by name without tag and digest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub own_images: Vec<ImageName>,
}

/// A pin needs a reason and an end, so that none is forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pin {
    /// To what.
    pub to: PinTarget,
    /// Why, for people.
    pub reason: String,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// From then on the pin binds nobody.
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"))]
    pub expires: At,
}

/// What a data plane is pinned to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PinTarget {
    /// Nothing above this level.
    Level(Level),
    /// Security releases and hotfixes only.
    SecurityOnly {},
}

/// A person's "not now" without an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    /// Why, for people.
    pub reason: String,
}

/// A recurring stretch of time. Deny beats allow; a window gates the start, never the finish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// Its name in messages.
    pub name: String,
    /// Whether it opens or closes.
    pub kind: WindowKind,
    /// Its beginnings: five cron fields (minute, hour, day of month, month, weekday; Sunday is 0).
    #[schemars(length(max = 200))]
    pub cron: CronRule,
    /// IANA name, such as `Europe/Stockholm`.
    pub time_zone: ZoneName,
    /// How long it lasts: elapsed time, also in the nights when clocks change.
    pub length: Span,
}

/// Whether a window opens or closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WindowKind {
    /// Starts are allowed inside.
    Allow,
    /// Starts are forbidden inside.
    Deny,
}

/// No starts between two times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Freeze {
    /// Why, for people.
    pub reason: String,
    /// First second of the freeze.
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"))]
    pub from: At,
    /// First second after it.
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"))]
    pub until: At,
}

/// How old a level must be, counted from its promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MinimumAge {
    /// For all levels.
    pub age: Span,
    /// Shorter for levels that fix something at least as severe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severe: Option<SevereAge>,
}

/// A shorter minimum age for severe findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SevereAge {
    /// From this severity on.
    pub at_least: Severity,
    /// How old such a level must be.
    pub age: Span,
}

/// What a release may pass, if it asks and is severe enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OverrideRule {
    /// Only releases that fix something at least as severe.
    pub at_least: Severity,
    /// Only if it is exploited in the wild.
    #[serde(default)]
    pub known_exploited: bool,
    /// The instruments that it may pass.
    pub pass: BTreeSet<Overridable>,
}

impl Policy {
    /// What this policy lets pass that `before` held back, field by field.
    pub fn loosened(&self, before: &Self) -> Vec<Loosening> {
        loosened(before, self)
    }

    /// True if this policy lets something pass that `before` held back.
    pub fn looser_than(&self, before: &Self) -> bool {
        !self.loosened(before).is_empty()
    }
}
