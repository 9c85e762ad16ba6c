//! A fixed vulnerability, and how bad it is.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::Level;
use crate::time::At;
use crate::vulnerability::{Cve, CvssVector};

/// One fixed vulnerability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Advisory {
    /// The advisory's id; opaque while it is under embargo.
    pub id: String,
    /// The CVE ids that it is about; none while it is under embargo.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub cves: BTreeSet<Cve>,
    /// How bad it is, metric by metric; none while it is under embargo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cvss: Option<CvssVector>,
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
    /// Until then nobody says what it is; this document, which never changes, doesn't say it later either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embargoed_until: Option<At>,
}

impl Advisory {
    /// True if people who say this name mean it: its id, or a CVE id of it.
    pub fn is_called(&self, name: &str) -> bool {
        self.id == name || self.cves.iter().any(|cve| cve.as_str() == name)
    }

    /// What a level says of it, which everybody can read: of one under embargo nothing that tells what it is. What is newly
    /// broken tells where to look, so that goes, too, and every level before the fix counts as open.
    pub fn as_signed(&self) -> Self {
        match self.embargoed_until {
            None => self.clone(),
            Some(_) => Self { cves: BTreeSet::new(), cvss: None, introduced_in: None, ..self.clone() },
        }
    }
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
