//! The subscription: the file that the customer writes. Shaped like the Kubernetes object of the same name.

use std::path::{Path, PathBuf};

use pdp_policies::decision::FluxInputs;
use pdp_policies::policy::Policy;
use pdp_policies::{
    API_VERSION, ComponentName, DataPlaneName, Digest, Line, Organization, PdpId, Platform, Ring, Span,
};
use pdp_transport::cli::Failure;
use pdp_transport::cli::failure::Result;
use pdp_transport::files;
use pdp_transport::flux_artifact::FluxArtifact;
use pdp_transport::login::LoginSource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::content::{Approvals, Content, HandedReports};
use crate::crd::{Rollback, Signatures};
use crate::fetch_limits::FetchLimits;
use crate::zones::{ZoneFiles, Zones};

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Subscription {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) metadata: Metadata,
    pub(crate) spec: Spec,
}

/// Name and namespace of the Flux objects that are written.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) namespace: String,
}

/// What is wanted.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Spec {
    pub(crate) organization: Organization,
    pub(crate) data_plane: DataPlaneName,
    pub(crate) line: Line,
    /// Its own ring; under the server it may be left out, and what enrolment answered is kept.
    #[serde(default)]
    pub(crate) ring: Option<Ring>,
    #[serde(default)]
    pub(crate) instruction: InstructionSource,
    /// A folder with approvals (`*.json`) and their SSH signatures (`*.json.sig`).
    #[serde(default)]
    pub(crate) approvals: Option<Approvals>,
    /// Reports of the data planes that `policy.after` names, where no server hands them out.
    #[serde(default)]
    pub(crate) reports_of: HandedReports,
    /// Zone data that is newer than the program's: a folder in the manner of /usr/share/zoneinfo.
    #[serde(default)]
    pub(crate) time_zones: ZoneFiles,
    /// By which rules the windows go.
    #[serde(skip)]
    pub(crate) zones: Zones,
    pub(crate) platform: Platform,
    pub(crate) catalog: CatalogSource,
    pub(crate) root: Content,
    #[serde(default)]
    pub(crate) mirror: Option<String>,
    #[serde(default)]
    pub(crate) signatures: Signatures,
    #[serde(default)]
    pub(crate) leave_out: Vec<ComponentName>,
    #[serde(default)]
    pub(crate) policy: Policy,
    pub(crate) target: Target,
    /// `<prefix><component>`: the ConfigMap with the platform's values for one chart.
    #[serde(skip, default = "platform_prefix")]
    pub(crate) component_platform_values: String,
    #[serde(default)]
    pub(crate) probe: Option<Probe>,
    #[serde(default = "five_minutes")]
    pub(crate) interval: Span,
    #[serde(default)]
    pub(crate) ca: Vec<PathBuf>,
    /// A person's way back, in a cluster.
    #[serde(skip)]
    pub(crate) rollback: Option<Rollback>,
    /// Logins that a cluster's Secrets hold.
    #[serde(skip, default = "Logins::of_helpers")]
    pub(crate) logins: Logins,
    /// SHA-256 of the UID of the namespace kube-system; none without a cluster.
    #[serde(skip)]
    pub(crate) cluster_id: Option<Digest>,
}

/// Logins by what they are for.
#[derive(Debug, Clone)]
pub(crate) struct Logins {
    /// For the catalog's Git host.
    pub(crate) git: LoginSource,
    /// For the catalog's registry.
    pub(crate) catalog: LoginSource,
    /// For the registry of the artifacts, or the mirror.
    pub(crate) artifacts: LoginSource,
}

impl Logins {
    /// Beside a file: Docker's config and git's helpers of whoever runs the program.
    pub(crate) fn of_helpers() -> Self {
        Self { git: LoginSource::Helpers, catalog: LoginSource::Helpers, artifacts: LoginSource::Helpers }
    }

    /// In a cluster, before a Secret is named.
    pub(crate) fn of_nobody() -> Self {
        Self { git: LoginSource::Nobody, catalog: LoginSource::Nobody, artifacts: LoginSource::Nobody }
    }
}

/// Where the catalog comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CatalogSource {
    /// A Git branch.
    Git { url: String, branch: String },
    /// An OCI artifact.
    Oci { repository: String, tag: String },
    /// A folder.
    Folder { path: PathBuf },
    /// What a Flux source of the cluster holds; none until it holds something, and why. And where Flux fetches from.
    #[serde(skip)]
    Flux(std::result::Result<FluxArtifact, String>, Option<String>),
}

/// What opens levels besides the channel's own door.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum InstructionSource {
    /// Nothing: the channel alone.
    Channel {},
    /// The channel server's assignments.
    Server(ServerSource),
    /// The director's ring state, for data planes without the server.
    RingState(RingStateSource),
    /// The customer's approvals alone.
    Approval {},
}

impl Default for InstructionSource {
    fn default() -> Self {
        Self::Channel {}
    }
}

/// The channel server.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerSource {
    /// Its address: https, or http on this machine.
    pub(crate) url: String,
    /// A file with the one-time enrolment token; needed until enrolled.
    #[serde(default)]
    pub(crate) enrolment_token: Option<Content>,
    #[serde(default)]
    pub(crate) reports: Reports,
}

/// Whether anything is told about this data plane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Reports {
    /// Levels, digests and codes from closed lists.
    #[default]
    Full,
    /// Nothing.
    None,
}

/// Where ring state comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RingStateSource {
    /// A Git branch.
    Git { url: String, branch: String },
    /// An OCI repository, tag `ring-state-<line>`.
    Oci { repository: String },
}

/// Where to write.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Target {
    /// The customer's repository; Flux applies from there.
    Git {
        url: String,
        branch: String,
        path: String,
        #[serde(default)]
        limits: FetchLimits,
    },
    /// Flux objects of the cluster, and what they are to name.
    #[serde(skip)]
    Flux(Box<FluxInputs>),
}

/// A command that tells whether what was written is healthy: exit 0 yes, 75 not yet, else no.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Probe {
    pub(crate) command: Vec<String>,
    #[serde(default = "ten_seconds")]
    pub(crate) interval: Span,
}

/// What a subscription in a cluster says unless it says otherwise.
fn platform_prefix() -> String {
    crate::crd::Values::default().platform_prefix
}

fn five_minutes() -> Span {
    Span::from_seconds(300)
}

fn ten_seconds() -> Span {
    Span::from_seconds(10)
}

impl Subscription {
    /// Reads the file; says everything that is wrong with it.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let what = format!("subscription {}", path.display());
        let bytes = files::read_capped(path, pdp_policies::yaml::MAX_YAML_BYTES as u64)?;
        let bytes =
            bytes.ok_or_else(|| Failure::new("NotFound", &what).hint("name it with --subscription"))?;
        let problems = match pdp_policies::yaml::read::<Self>(&String::from_utf8_lossy(&bytes)) {
            Ok(subscription) => match subscription.problems() {
                problems if problems.is_empty() => return Ok(subscription.in_its_zones()),
                problems => problems,
            },
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        };
        Err(Failure::new("BadSubscription", what)
            .cause(problems.join("\n         "))
            .hint("see docs/formats.md, subscription"))
    }

    fn in_its_zones(mut self) -> Self {
        self.spec.zones = self.spec.time_zones.apply(&mut self.spec.policy);
        self
    }

    pub(crate) fn pdp(&self) -> PdpId {
        PdpId { organization: self.spec.organization.clone(), data_plane: self.spec.data_plane.clone() }
    }

    /// All that is wrong with it, in words. What of its policy protects nothing is no fault of the file: it holds.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut found = self.instruction_problems();
        if (self.api_version.as_str(), self.kind.as_str()) != (API_VERSION, "UpdateSubscription") {
            found.push(format!("apiVersion and kind must be {API_VERSION} and UpdateSubscription"));
        }
        if let Some(mirror) = &self.spec.mirror
            && format!("{mirror}/x").parse::<pdp_transport::oci::Repository>().is_err()
        {
            found.push(format!("spec.mirror: `{mirror}` is not host[:port][/prefix]"));
        }
        if let Target::Git { path, limits, .. } = &self.spec.target {
            if !pdp_policies::is_safe(path) {
                found.push(format!("spec.target.git.path: `{path}` is not a plain relative path"));
            }
            found.extend(limits.problems());
        }
        if self.spec.policy.approval.is_some() && self.spec.approvals.is_none() {
            found.push("spec.approvals: the policy asks for approvals; name their folder".to_owned());
        }
        if self.spec.probe.as_ref().is_some_and(|probe| probe.command.is_empty()) {
            found.push("spec.probe.command is empty".to_owned());
        }
        found
    }

    fn instruction_problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        let by_server = matches!(self.spec.instruction, InstructionSource::Server(_));
        if self.spec.ring.is_none() && !by_server {
            found.push("spec.ring is needed unless the server tells it (spec.instruction.server)".to_owned());
        }
        let approval = matches!(self.spec.instruction, InstructionSource::Approval {});
        if approval && self.spec.policy.approval.is_none() {
            found.push("spec.instruction.approval needs spec.policy.approval: who may approve?".to_owned());
        }
        found
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const DOC: &str = include_str!("../../docs/formats.md");

    fn read(text: &str) -> Result<Subscription> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Subscription::read(file.path())
    }

    fn sample() -> &'static str {
        let (_, rest) = DOC.split_once("<!-- sample: subscription -->\n```yaml\n").unwrap();
        rest.split_once("\n```").unwrap().0
    }

    #[test]
    fn the_documented_sample_is_read() {
        let subscription = read(sample()).unwrap();
        assert_eq!(subscription.pdp().to_string(), "nordbank/prod");
        assert!(subscription.spec.policy.pin.is_some());
    }

    #[test]
    fn one_of_an_older_version_is_read() {
        let text = include_str!("../../fixtures/frozen/55b220a/subscriptions/file.yaml");
        let subscription = read(text).unwrap();
        assert_eq!(subscription.pdp().to_string(), "nordbank/prod");
        let policy = &subscription.spec.policy;
        assert!(policy.pin.is_some() && policy.approval.is_some() && policy.freezes.len() == 1);
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let text = sample()
            .replace("path: clusters/prod/pdp", "path: ../../etc")
            .replace("mirror: registry.nordbank.example/wso2", "mirror: 'not a host'")
            .replace("download: 2Gi", "download: 2Mi")
            .replace("silence: 30s", "silence: 30m");
        let failure = read(&text).unwrap_err().to_string();
        for part in ["../../etc", "not a host", "limits.silence"] {
            assert!(failure.contains(part), "{part} in {failure}");
        }
    }

    /// What was begun under it goes on: a slip in it is no reason to stop half-way.
    #[test]
    fn a_policy_that_protects_nothing_is_read() {
        let text = sample()
            .replace("until: 2027-01-04", "until: 2026-01-04")
            .replace("Europe/Stockholm", "Mars/Olympus");
        let policy = read(&text).unwrap().spec.policy;
        assert_eq!(policy.ineffective(None, pdp_policies::At::from_unix(1_795_420_800)).len(), 2);
    }

    #[test]
    fn who_opens_levels_has_to_be_clear() {
        let instruction = "instruction: {server:";
        let line = sample().lines().find(|line| line.trim_start().starts_with(instruction)).unwrap();
        let ring = sample().lines().find(|line| line.trim_start().starts_with("ring:")).unwrap();
        assert!(read(&sample().replace(ring, "")).is_ok(), "enrolment tells the ring");
        let alone = sample().replace(line, "").replace(ring, "");
        assert!(read(&alone).unwrap_err().to_string().contains("spec.ring"));
        let gap = sample().replace(line, "  instruction: {approval: {}}");
        assert!(read(&gap).is_ok());
        let (before, rest) = gap.split_once("    approval:  ").unwrap();
        let nobody = format!("{before}    overrides:{}", rest.split_once("    overrides:").unwrap().1);
        assert!(read(&nobody).unwrap_err().to_string().contains("who may approve?"));
    }

    #[test]
    fn a_typing_error_is_an_error() {
        let text = sample().replace("leaveOut:", "leavOut:").replace("interval: 5m", "intervall: 5m");
        let failure = read(&text).unwrap_err().to_string();
        assert!(failure.contains("spec.leavOut") && failure.contains("spec.intervall"), "{failure}");
    }
}
