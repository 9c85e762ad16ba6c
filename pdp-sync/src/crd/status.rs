//! The status of an `UpdateSubscription`. It changes only when something changed: an idle data plane writes nothing.

use pdp_policies::gate::{Authority, Candidate, Forecast};
use pdp_policies::moves::MoveKind;
use pdp_policies::outlives::Outlives;
use pdp_policies::{At, ComponentName, Digest, Level, ObstacleCode, Owner, RefusalCode, Ring};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::condition::Condition;

/// Where a data plane stands, and why it isn't further.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct UpdateSubscriptionStatus {
    /// The generation that was handled last; -1 before the first.
    #[schemars(default = "unobserved")]
    pub observed_generation: Option<i64>,
    /// `Ready` always; the others while they are true.
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The last `reconcile.fluxcd.io/requestedAt` that was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// The last `reconcile.fluxcd.io/forceAt` that was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_force_at: Option<String>,
    /// The level that counts as installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// SHA-256 of its descriptor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_digest: Option<Digest>,
    /// Its version, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The level that is applied, waited for or given up; absent when there is nothing newer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetStatus>,
    /// The level to go back to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_good: Option<LevelStatus>,
    /// When something will happen by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_action: Option<NextAction>,
    /// When the level that waits can start, and whether that is in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
    /// The levels above the installed one, while none of them may start: what is in the way of each, now and later. Eight at
    /// most, the highest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    /// Everything that stands in the way of the target.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub obstacles: Vec<ObstacleStatus>,
    /// The document that was refused last, if that still holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<RefusalStatus>,
    /// Every component of the installed level, or of the one that is being applied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<ComponentStatus>,
    /// The vendor's catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalog: Option<CatalogStatus>,
    /// Who opens levels here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction: Option<InstructionStatus>,
    /// Successors of the vendor's addresses that the subscription names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<MoveStatus>,
    /// The zone data that windows go by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone_data: Option<ZoneDataStatus>,
    /// What happened, the newest first; ten at most.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<HistoryEntry>,
    /// The policy was loosened by the edit before last decision; recorded there as well.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub policy_loosened: bool,
}

fn unobserved() -> Option<i64> {
    Some(-1)
}

/// The zone data that windows go by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ZoneDataStatus {
    /// The IANA release, such as `2026f`.
    pub version: String,
    /// True if it was given; else it is pdp-sync's own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given: bool,
    /// Why what was given isn't used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The windows that open at another time within 90 days than by pdp-sync's own zone data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<String>,
}

/// The level that matters next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetStatus {
    /// The level.
    pub level: Level,
    /// SHA-256 of its descriptor.
    pub release_digest: Digest,
    /// How far it is.
    pub phase: TargetPhase,
    /// The stage that is being applied or taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<u32>,
    /// Which try of the level it is, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// When it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<At>,
    /// On whose word it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<Authority>,
    /// The component that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<ComponentName>,
    /// Why it failed, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Namespaces and definitions (`Kind/name`) that it brought and nobody took away when it went back: they may be there
    /// still.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_behind: Vec<Outlives>,
}

/// How far a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TargetPhase {
    /// Something stands in its way.
    Waiting,
    /// Its artifacts are being fetched and checked; nothing was changed yet.
    Preflight,
    /// Stages are being applied.
    Applying,
    /// A component failed; what was touched is being put back.
    GoingBack,
    /// It failed, was put back, and is not tried again.
    Quarantined,
    /// A person asked to go back to the last good level.
    TakingBack,
    /// It was taken back by a person, and waits until they let go.
    TakenBack,
}

/// A level by content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LevelStatus {
    /// The level.
    pub level: Level,
    /// SHA-256 of its descriptor.
    pub release_digest: Digest,
}

/// When something will happen by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NextAction {
    /// At the earliest.
    pub at: At,
    /// What is waited for until then.
    pub code: ObstacleCode,
}

/// One obstacle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObstacleStatus {
    /// The stable code.
    pub code: ObstacleCode,
    /// Who can take it away.
    pub owner: Owner,
    /// When it will be gone by itself at the earliest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<At>,
    /// The cause, for people.
    pub detail: String,
}

/// A refused document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusalStatus {
    /// The stable code.
    pub code: RefusalCode,
    /// What was refused.
    pub subject: String,
    /// The cause, for people.
    pub detail: String,
    /// What to do next.
    pub hint: String,
}

/// One component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ComponentStatus {
    /// Its name.
    pub name: ComponentName,
    /// The level that it is at.
    pub level: Level,
    /// Its version, for people.
    pub version: String,
    /// Digest of its artifact.
    pub digest: Digest,
    /// How it is.
    pub state: ComponentState,
    /// Flux's reason, or ours, if it isn't healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ComponentState {
    /// Not written yet.
    Pending,
    /// Flux applies it.
    Progressing,
    /// Flux can't go on now; that is no failure of the component.
    Waiting,
    /// Healthy, but not for long enough yet.
    Settling,
    /// Healthy and settled.
    Healthy,
    /// Flux says that it failed.
    Failed,
    /// A person suspended it in Flux.
    Suspended,
}

/// The vendor's catalog. No time of signing while it is fresh: it changes every hour, and an idle data plane
/// writes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CatalogStatus {
    /// How fresh it is.
    pub state: CatalogState,
    /// When it was signed, unless it is fresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<At>,
    /// Version of the role `channels`.
    pub channels: u64,
    /// Version of the role `targets`.
    pub targets: u64,
}

/// How fresh a catalog is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CatalogState {
    /// Signed within the last 26 hours.
    Fresh,
    /// Older; levels still start.
    Stale,
    /// Past its expiry: nothing new starts.
    Expired,
}

/// Who opens levels besides the channel's own door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstructionStatus {
    /// `channel`, `server`, `ringState` or `approval`.
    pub by: String,
    /// The effective ring: the later of its own and the assignment's.
    pub ring: Ring,
    /// The ring that the server named, if that is an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_ring: Option<Ring>,
    /// How far the server lets it go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<Level>,
}

/// The successor of an address, and whether it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MoveStatus {
    /// What moves.
    pub kind: MoveKind,
    /// The address that the subscription names, or the release.
    pub from: String,
    /// Its successor.
    pub to: String,
    /// Until when the vendor keeps the old address.
    pub until: At,
    /// Whether the successor is asked.
    pub state: MoveState,
    /// The stable code, if it isn't followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to do next.
    pub hint: String,
}

/// Whether a successor is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MoveState {
    /// It answered.
    Followed,
    /// The administrator doesn't list its host.
    NotAllowed,
    /// It can't be had; the old address is asked.
    Unreachable,
    /// What it answered was refused; the old address is asked.
    Refused,
    /// A server, and this data plane isn't enrolled yet.
    NotEnrolled,
    /// Flux fetches the catalog; the customer edits its source.
    FluxSource,
}

impl std::fmt::Display for MoveStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, from, to, hint, .. } = self;
        match &self.reason {
            None => write!(f, "the {kind} moved from {from} to {to}: {hint}"),
            Some(reason) => write!(f, "{reason}: the {kind} moves from {from} to {to}: {hint}"),
        }
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// The level.
    pub level: Level,
    /// SHA-256 of its descriptor.
    pub release_digest: Digest,
    /// What became of it.
    pub result: HistoryResult,
    /// When it was decided.
    pub decided_at: At,
    /// When it ended.
    pub ended_at: At,
    /// The component that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<ComponentName>,
}

/// What became of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HistoryResult {
    /// Healthy and settled.
    Healthy,
    /// It failed and was put back.
    Failed,
    /// A person took it back.
    TakenBack,
}
