//! What a level says of the vulnerabilities that it fixes: from what a release engineer writes to what people read.

mod disclose;
mod entry;
mod given;
mod score;
mod secret;
mod told;

use pdp_policies::disclosure::NotAffected;
use pdp_policies::release::Severity;
use pdp_policies::{At, ComponentName, Level};
use serde::Deserialize;

pub(crate) use disclose::disclosed;
pub(crate) use entry::{Known, stated};
pub(crate) use given::{AdvisoriesArgs, tell};
pub(crate) use score::rated;
pub(crate) use secret::{secret_id_in, secret_in};
pub(crate) use told::Told;

/// One advisory, as it stands in release.yaml or in a file beside it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdvisoryEntry {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) cves: Vec<String>,
    #[serde(default)]
    pub(crate) cvss: Option<String>,
    /// May be left out where there is a vector.
    #[serde(default)]
    pub(crate) severity: Option<Severity>,
    #[serde(default)]
    pub(crate) known_exploited: bool,
    #[serde(default)]
    pub(crate) introduced_in: Option<Level>,
    pub(crate) confirmed_at: At,
    pub(crate) published_at: At,
    #[serde(default)]
    pub(crate) embargoed_until: Option<At>,
    #[serde(default)]
    pub(crate) title: Option<String>,
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// What it is about; every component if none is named, except those that aren't affected.
    #[serde(default)]
    pub(crate) components: Option<Vec<ComponentName>>,
    #[serde(default)]
    pub(crate) not_affected: Vec<NotAffected>,
}

/// A file of advisories beside release.yaml.
#[derive(Debug, Deserialize)]
pub(crate) struct AdvisoryFile {
    pub(crate) advisories: Vec<AdvisoryEntry>,
}
