//! A fixed vulnerability, and how bad it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::Level;
use crate::time::At;

/// One fixed vulnerability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Advisory {
    /// The advisory's id; opaque while it is under embargo.
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// True if it is exploited in the wild (CISA KEV).
    #[serde(default)]
    pub known_exploited: bool,
    /// The first level that has it; none if every level before the fix has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introduced_in: Option<Level>,
    /// When the vendor confirmed it: the start of most deadlines.
    pub confirmed_at: At,
    /// When the fix was published.
    pub published_at: At,
}

/// CVSS 3.1 bands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// 0.1-3.9
    Low,
    /// 4.0-6.9
    Medium,
    /// 7.0-8.9
    High,
    /// 9.0-10.0
    Critical,
}
