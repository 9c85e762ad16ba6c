//! Bodies of the API. Signed documents travel as they are; these are the thin views around them.

use std::collections::BTreeMap;

use pdp_policies::report::{LevelDigest, TargetState};
use pdp_policies::rollout::{Cause, Census, Command, HaltScope, Lack, Phase, Reasons, WaitsFor};
use pdp_policies::{At, DataPlaneName, Digest, Level, Line, Organization, Percent, Ring, Span, Tempo};
use serde::{Deserialize, Serialize};

/// The audience of a data plane's tokens.
pub const AUDIENCE: &str = "updates.pdp.wso2.com/channel-server";
/// How long a data plane's token lives.
pub const TOKEN_LIFE: Span = Span::from_seconds(600);

/// The claims of a data plane's token (RFC 7519, EdDSA).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// `<organization>/<data plane>`.
    pub sub: String,
    /// Always [`AUDIENCE`].
    pub aud: String,
    /// Unix seconds of signing.
    pub iat: i64,
    /// Unix seconds of expiry; at most [`TOKEN_LIFE`] later.
    pub exp: i64,
}

/// What an API token of a person may do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Everything, tokens included.
    Admin,
    /// Rollouts, organizations, data planes of everybody.
    ReleaseEngineer,
    /// Enrols and shuts out the data planes of one organization.
    OrgApprover,
    /// Reads one organization.
    OrgViewer,
    /// Reads everything, the event log included.
    Auditor,
}

/// An error of the API: what, why, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The stable code.
    pub code: String,
    /// What failed, for people.
    pub message: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// One page of a list; ask again with `after=<next>` for more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins, none on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationView {
    /// Its name.
    pub name: Organization,
    /// The ring of its data planes, unless one has its own.
    pub ring: Ring,
    /// How many are enrolled.
    pub data_planes: u32,
}

/// Adds an organization, or moves it to another ring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrganizationChange {
    /// The ring.
    pub ring: Ring,
    /// Why, for the event log.
    pub reason: String,
}

/// Gives a data plane a ring of its own, or takes it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RingChange {
    /// The ring, none for the organization's.
    pub ring: Option<Ring>,
    /// Why, for the event log.
    pub reason: String,
}

/// Asks for a one-time enrolment token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnrolmentTokenRequest {
    /// How long it may be used.
    pub life: Span,
}

/// A one-time enrolment token; shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnrolmentToken {
    /// The secret.
    pub token: String,
    /// Until when it may be used.
    pub expires: At,
}

impl std::fmt::Debug for EnrolmentToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EnrolmentToken(until {})", self.expires)
    }
}

/// An API token without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiToken {
    /// Its public id.
    pub id: String,
    /// Whose it is.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The organization that it is limited to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<Organization>,
    /// Until when it is good.
    pub expires: At,
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<At>,
}

/// A data plane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataPlaneView {
    /// The customer.
    pub organization: Organization,
    /// Its name.
    pub data_plane: DataPlaneName,
    /// The ring that counts.
    pub ring: Ring,
    /// Its own ring, if it has one.
    pub own_ring: Option<Ring>,
    /// When it enrolled.
    pub enrolled: At,
    /// When it was shut out, if it was.
    pub revoked: Option<At>,
    /// When it polled last.
    pub seen: Option<At>,
    /// When it reported last.
    pub heard: Option<At>,
    /// The last good level, as it reports it.
    pub current: Option<LevelDigest>,
    /// What it is doing, as it reports it.
    pub target: Option<TargetState>,
    /// Version of its pdp-sync.
    pub pdp_sync: String,
    /// SHA-256 of its cluster's id, if it has one.
    pub cluster_id: Option<Digest>,
}

/// A level that is installed somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstalledView {
    /// The level, as data planes report it.
    pub level: Level,
    /// SHA-256 of its descriptor.
    pub sha256: Digest,
    /// On how many data planes.
    pub data_planes: u32,
}

/// A rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutView {
    /// The release line.
    pub line: Line,
    /// The level.
    pub level: Level,
    /// SHA-256 of the release descriptor.
    pub sha256: Digest,
    /// How fast it travels.
    pub tempo: Tempo,
    /// When it was created.
    pub created: Option<At>,
    /// The server's time: what is left of a soak counts from here.
    pub now: At,
    /// Why nothing opens or starts: stopped, withdrawn, catalog expired, everything halted.
    pub braked: Option<String>,
    /// Since when, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub braked_since: Option<At>,
    /// The reason that people gave, or who asked to end it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub braked_detail: Option<String>,
    /// Where it stands as a whole.
    pub phase: Phase,
    /// What it waits for; none where nothing comes next, or something holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<WaitsFor>,
    /// Since when people hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<At>,
    /// Who paused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_by: Option<String>,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_reason: Option<String>,
    /// True if a retry would let something start again.
    #[serde(default)]
    pub retryable: bool,
    /// In the answer to a command: true if it changed anything, false if it was so already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<bool>,
    /// Halts that stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub halts: Vec<HaltView>,
    /// Which try of the level may start, from 1.
    pub attempt: u32,
    /// All rings of the plan, first to last.
    pub rings: Vec<RingView>,
}

/// A halt that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HaltView {
    /// What is halted.
    pub scope: HaltScope,
    /// Since when.
    pub at: At,
    /// Why, with the counts of that moment.
    pub cause: Cause,
    /// Who asked to resume; a second person is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_asked: Option<String>,
}

/// One ring of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RingView {
    /// The ring.
    pub ring: Ring,
    /// How far it has come.
    pub status: RingStatus,
    /// Where it stands: what holds it hides how far it has come.
    pub phase: Phase,
    /// The earliest time that people signed.
    pub opens_at: Option<At>,
    /// When it opened.
    pub opened: Option<At>,
    /// The current wave, first is 1.
    pub wave: usize,
    /// How many waves there are.
    pub waves: usize,
    /// How many starts the current wave allows, none for all.
    pub cap: Option<u32>,
    /// How many starts count.
    pub starts: u32,
    /// How many of them were never heard; the wave waits for each no longer than `silenceAfter`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unheard: u32,
    /// When the soak of the current wave ends, if it has begun.
    pub soaked_at: Option<At>,
    /// Failed and silent data planes that count against the budget.
    pub failures: u32,
    /// How many of the eligible may.
    pub budget: Percent,
    /// The same as a number, by the engine's rule for the ring's present size: one more halts it.
    pub bears: u32,
    /// Of one organization so many may; one more halts the rollout for it.
    pub organization_budget: u32,
    /// Organizations with failures that count: the ten with most.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub organization_failures: BTreeMap<Organization, u32>,
    /// What the current wave lacks before it may soak; none if it is proven, or isn't open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacks: Option<Lack>,
    /// How many data planes are in which state.
    pub census: Census,
    /// Why those that are deferred are, and where those that failed did.
    #[serde(default)]
    pub reasons: Reasons,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Where a ring stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RingStatus {
    /// Not open yet.
    Waiting,
    /// A wave may start.
    Open,
    /// All waves passed.
    Passed,
}

/// What a person wants of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RolloutOrder {
    /// What.
    pub command: Command,
    /// Why, for the event log.
    pub reason: String,
}

/// What a person wants of all rollouts at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EverythingOrder {
    /// Why, for the event log.
    pub reason: String,
}

/// Whether everything is halted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EverythingView {
    /// Since when, none if it isn't.
    pub halted: Option<At>,
    /// Who halted it, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Who asked to resume; a second person is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_asked: Option<String>,
}

/// One row of the event log. `hash` covers all others and the hash before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    /// Position, from 1 without gaps.
    pub seq: i64,
    /// Unix milliseconds.
    pub at: i64,
    /// Who: `server`, `pdp:<organization>/<data plane>`, `token:<name>`.
    pub actor: String,
    /// What it is about: an organization, a data plane, a rollout.
    pub subject: String,
    /// What happened, as JSON.
    pub body: String,
    /// SHA-256 of this row and the one before (hex).
    pub hash: String,
}
