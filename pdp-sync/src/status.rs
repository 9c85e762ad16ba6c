//! What a pass leaves for people and machines: conditions, level, obstacles with owner and next time.

mod text;

use pdp_policies::decision::{DecisionRecord, Phase};
use pdp_policies::gate::{Authority, Candidate, Forecast, Verdict, WindowWords};
use pdp_policies::report::{CatalogVersions, LevelDigest};
use pdp_policies::trust::{Catalog, Freshness, Role, STALE_AFTER};
use pdp_policies::{At, Digest, Level, Obstacle, ObstacleCode, Promotion, Refusal, Ring, Span, Withdrawal};
use pdp_transport::cli::{Failure, exit};
use serde::{Deserialize, Serialize};

use crate::crd::{MoveStatus, ZoneDataStatus};
use crate::customer::Customer;
use crate::identity::Identity;
use crate::instruct::Trouble;
use crate::state::State;
use crate::target::{Applied, ComponentHealth, Tidied, UnderWay};

pub(crate) use text::{authority_words, forecast_words, move_words, text};

/// So many past passes that changed something are kept.
const HISTORY: usize = 20;

/// What one pass saw and did.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) applied: Option<Applied>,
    pub(crate) catalog: Option<CatalogAge>,
    /// The catalog that was judged.
    pub(crate) versions: Option<CatalogVersions>,
    /// When each of the catalog's roles expires.
    pub(crate) expires: Option<[(Role, At); 6]>,
    /// So many promoted levels are newer than the installed one.
    pub(crate) lag: Option<u64>,
    /// True if the installed level is below the vendor's security floor.
    pub(crate) exposed: bool,
    /// Set if the vendor withdrew the installed level: why, and the level that fixes it.
    pub(crate) withdrawn: Option<Withdrawal>,
    /// The installed level, if its channel names it no more.
    pub(crate) pruned: Option<Level>,
    /// What of the customer's policy protects nothing, or can never be met.
    pub(crate) ineffective: Vec<String>,
    /// The customer's windows.
    pub(crate) windows: Vec<WindowWords>,
    /// The zone data that they go by.
    pub(crate) zones: Option<ZoneDataStatus>,
    /// The levels above the installed one, while none of them may start.
    pub(crate) candidates: Vec<Candidate>,
    /// What was put right, and how the installed components are.
    pub(crate) tidied: Tidied,
    pub(crate) seen: Seen,
    /// Who opens levels here, and what was heard of them.
    pub(crate) instruction: Option<InstructionStatus>,
    pub(crate) trouble: Option<Trouble>,
    /// What became of successors of addresses; none if nobody was asked.
    pub(crate) moves: Option<Vec<MoveStatus>>,
    /// Whom to ask for news before the next pass, and for how long at most.
    pub(crate) next_poll: Option<(Identity, Span)>,
}

/// How the pass ended.
#[derive(Debug, Default)]
pub(crate) enum Seen {
    #[default]
    Nothing,
    /// A level was started in this pass.
    Started,
    /// The gate's word, and edits of others.
    Verdict(Verdict, Vec<Obstacle>),
    /// The gate was open, but the target is not ours to write.
    Blocked(LevelDigest, Vec<Obstacle>),
    /// The gate was open, but not everything is at hand yet.
    Preflight(LevelDigest, Vec<ComponentHealth>),
    /// What the record says is under way.
    UnderWay(UnderWay),
    /// A document or artifact was refused.
    Refused { refusal: Refusal, behind: bool },
    /// Catalog or registry can't be had now.
    Unavailable(Failure),
}

/// How old the catalog is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CatalogAge {
    pub(crate) signed_at: At,
    pub(crate) state: String,
}

impl Outcome {
    pub(crate) fn with(mut self, seen: Seen) -> Self {
        self.seen = seen;
        self
    }

    pub(crate) fn remember(&mut self, catalog: &Catalog, customer: &Customer, state: &State, now: At) {
        self.versions = Some(catalog.versions());
        self.expires = Some(catalog.expiries());
        let installed = state.record.as_ref().and_then(DecisionRecord::installed).map(|i| i.level);
        let channel = catalog.channel(&customer.line);
        let newer = |(level, promotion): &(&Level, &Promotion)| {
            Some(**level) > installed && promotion.is_for(&customer.pdp.organization)
        };
        self.lag = channel.map(|channel| channel.levels.iter().filter(newer).count() as u64);
        if let (Some(installed), Some(channel)) = (installed, channel) {
            self.exposed = channel.floor.is_some_and(|floor| installed < floor);
            self.withdrawn = channel.withdrawn.get(&installed).cloned();
            self.pruned = Some(installed).filter(|level| channel.may_be_pruned(*level));
        }
        self.catalog = Some(match catalog.freshness(now) {
            Freshness::Expired(role) => {
                CatalogAge { signed_at: catalog.signed_at(), state: format!("expired: `{role}`") }
            }
            Freshness::Fresh | Freshness::Stale(_) => CatalogAge::at(catalog.signed_at(), now),
        });
    }

    /// Waiting is not an error; a refusal and a failed level are.
    pub(crate) fn exit(&self) -> u8 {
        match (&self.seen, &self.applied) {
            (Seen::Refused { .. }, _) | (_, Some(Applied::GoneBack(_))) => exit::NEGATIVE,
            _ if matches!(self.trouble, Some(Trouble::Refused(_))) => exit::NEGATIVE,
            (Seen::Unavailable(failure), _) if !failure.transient => failure.exit,
            _ => exit::DONE,
        }
    }
}

impl CatalogAge {
    /// By its age alone: what can be said when the vendor can't be reached.
    fn at(signed_at: At, now: At) -> Self {
        let age = now.seconds_since(signed_at);
        let state = match age > STALE_AFTER.seconds() {
            true => format!("stale: signed {} hours ago", age / 3600),
            false => "fresh".to_owned(),
        };
        Self { signed_at, state }
    }
}

/// Who opens levels besides the channel's own door.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstructionStatus {
    /// `channel`, `server`, `ringState` or `approval`.
    pub(crate) by: String,
    /// The effective ring: the later of its own and the assignment's.
    pub(crate) ring: Ring,
    /// The ring that the server named, if that is an earlier one.
    pub(crate) earlier_ring: Option<Ring>,
    /// How far the server lets it go.
    pub(crate) ceiling: Option<Level>,
    /// When the instruction that holds was issued.
    pub(crate) issued: Option<At>,
    /// Until when it holds.
    pub(crate) expires: Option<At>,
    /// When the server wants to be asked again.
    pub(crate) poll_after: Option<Span>,
}

/// `status.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    pub(crate) pdp: String,
    pub(crate) observed_at: At,
    /// The level that counts as installed.
    pub(crate) level: Option<Level>,
    pub(crate) sha256: Option<Digest>,
    /// The level that is waited for, applied or given up.
    pub(crate) target: Option<Level>,
    pub(crate) phase: Option<String>,
    pub(crate) health: String,
    pub(crate) authority: Option<Authority>,
    pub(crate) instruction: Option<InstructionStatus>,
    pub(crate) last_good: Option<Level>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) obstacles: Vec<Obstacle>,
    /// When the level that waits can start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) forecast: Option<Forecast>,
    /// The levels above the installed one, while none of them may start: what is in the way of each, now and later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) candidates: Vec<Candidate>,
    /// The customer's windows in words, with their next beginnings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) windows: Vec<WindowWords>,
    /// The zone data that they go by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) zone_data: Option<ZoneDataStatus>,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) waiting_for: Option<String>,
    pub(crate) next_action: Option<NextAction>,
    pub(crate) catalog: Option<CatalogAge>,
    /// Successors of the vendor's addresses.
    #[serde(default)]
    pub(crate) moves: Vec<MoveStatus>,
    pub(crate) events: Vec<String>,
    pub(crate) history: Vec<String>,
}

/// A condition in Flux's manner; only those that are true are listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Condition {
    pub(crate) r#type: String,
    pub(crate) reason: String,
}

/// When something will happen by itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NextAction {
    pub(crate) at: At,
    pub(crate) code: ObstacleCode,
}

/// Makes the status of a pass. `before` is the one of the pass before.
pub(crate) fn of(pdp: &str, outcome: &Outcome, state: &State, before: Option<Status>, now: At) -> Status {
    let record = state.record.as_ref();
    let waiting = waiting(&outcome.seen);
    let obstacles = waiting.as_ref().map(|(_, obstacles)| obstacles.clone()).unwrap_or_default();
    let (refusal, waiting_for) = match (&outcome.seen, &outcome.trouble) {
        (Seen::Refused { refusal, .. }, _) => (Some(refusal.clone()), None),
        (Seen::Unavailable(failure), _) => (None, Some(failure.to_string())),
        (_, Some(Trouble::Refused(refusal))) => (Some(refusal.clone()), None),
        (_, Some(Trouble::Unavailable(_, words))) => (None, Some(words.clone())),
        _ => (None, None),
    };
    let next =
        obstacles.iter().filter_map(|o| Some(NextAction { at: o.next?, code: o.code })).max_by_key(|n| n.at);
    let next_action = next.filter(|_| obstacles.iter().all(|o| o.next.is_some()));
    let last = || Some(CatalogAge::at(before.as_ref()?.catalog.as_ref()?.signed_at, now));
    let catalog = outcome.catalog.clone().or_else(last);
    let before_health = before.as_ref().map(|b| b.health.clone());
    let moves_before = before.as_ref().map(|b| b.moves.clone());
    let mut history = before.map(|b| b.history).unwrap_or_default();
    if let Some(applied) = &outcome.applied {
        history.push(format!("{now} {}", applied_words(applied, record)));
        history.drain(..history.len().saturating_sub(HISTORY));
    }
    Status {
        pdp: pdp.to_owned(),
        observed_at: now,
        level: record.and_then(DecisionRecord::installed).map(|i| i.level),
        sha256: record.and_then(DecisionRecord::installed).map(|i| i.sha256),
        target: waiting.map(|(level, _)| level).or_else(|| record.map(|r| r.target().level)),
        phase: record.map(|r| phase_word(r.phase()).to_owned()),
        health: health_word(record, outcome, before_health.as_deref()).to_owned(),
        authority: record.map(|r| r.authority().clone()),
        instruction: outcome.instruction.clone(),
        last_good: record.and_then(DecisionRecord::last_good).map(|r| r.level),
        conditions: conditions(outcome, record, catalog.as_ref(), &obstacles),
        obstacles,
        forecast: forecast(&outcome.seen),
        candidates: outcome.candidates.clone(),
        windows: outcome.windows.clone(),
        zone_data: outcome.zones.clone(),
        refusal,
        waiting_for,
        next_action,
        catalog,
        moves: outcome.moves.clone().or(moves_before).unwrap_or_default(),
        events: state.events.iter().map(|event| (*event).to_owned()).collect(),
        history,
    }
}

/// The level that waits, if one does.
pub(crate) fn waiting_level(verdict: &Verdict) -> Option<LevelDigest> {
    verdict.waiting().map(|waiting| LevelDigest { level: waiting.level, sha256: waiting.sha256 })
}

/// When the level that waits can start, if one does.
pub(crate) fn forecast(seen: &Seen) -> Option<Forecast> {
    match seen {
        Seen::Verdict(verdict, _) => Some(verdict.waiting()?.forecast.clone()),
        _ => None,
    }
}

pub(crate) fn waiting(seen: &Seen) -> Option<(Level, Vec<Obstacle>)> {
    match seen {
        Seen::Verdict(verdict, _) => {
            let waiting = verdict.waiting()?;
            Some((waiting.level, waiting.obstacles.clone()))
        }
        Seen::Blocked(level, obstacles) => Some((level.level, obstacles.clone())),
        Seen::Preflight(level, _) => Some((level.level, Vec::new())),
        _ => None,
    }
}

fn conditions(
    outcome: &Outcome,
    record: Option<&DecisionRecord>,
    catalog: Option<&CatalogAge>,
    obstacles: &[Obstacle],
) -> Vec<Condition> {
    let mut found = Vec::new();
    let mut add =
        |r#type: &str, reason: &str| found.push(Condition { r#type: r#type.into(), reason: reason.into() });
    match &outcome.seen {
        Seen::Refused { refusal, .. } => add("Stalled", refusal.code.as_str()),
        Seen::Unavailable(failure) => add("Reconciling", &failure.code),
        _ => add("Ready", "Succeeded"),
    }
    if let Seen::Refused { behind: true, .. } = &outcome.seen {
        add("CatalogBehind", "OlderThanSeen");
    }
    match &outcome.trouble {
        Some(Trouble::Refused(refusal)) => add("InstructionRefused", refusal.code.as_str()),
        Some(Trouble::Unavailable(code, _)) => add("InstructionUnavailable", code),
        None => {}
    }
    if let Some(problem) = outcome.ineffective.first() {
        add("PolicyIneffective", problem);
    }
    if let Some(earlier) = outcome.instruction.as_ref().and_then(|i| i.earlier_ring.as_ref()) {
        add("EarlierRing", earlier.as_str());
    }
    if let Some(age) = catalog.filter(|age| age.state != "fresh") {
        add("CatalogStale", &age.state);
    }
    if record.is_some_and(|r| r.installed().is_some()) {
        add("Verified", "CatalogAndDigests");
    }
    if let Some(level) = outcome.pruned {
        add(
            "NoLongerInChannel",
            &format!("level {level} was pruned; it keeps running until a higher one starts"),
        );
    }
    if let Some(first) = obstacles.first() {
        add("Blocked", first.code.as_str());
    }
    if let Seen::Verdict(_, edits) = &outcome.seen
        && let Some(edit) = edits.first()
    {
        add("Drifted", edit.code.as_str());
    }
    match record.map(DecisionRecord::phase) {
        Some(Phase::Quarantined { .. }) if held_back(record) => add("Mixed", "HeldAfterFailure"),
        _ if matches!(outcome.applied, Some(Applied::Healthy)) => add("Healthy", "ProbeSettled"),
        _ => {}
    }
    if matches!(outcome.seen, Seen::Verdict(Verdict::UpToDate, _)) {
        add("UpToDate", "NothingNewer");
    }
    found
}

/// True if a failed level left components behind that must not go back, and that it changed.
fn held_back(record: Option<&DecisionRecord>) -> bool {
    use pdp_policies::release::{Component, OnFailure::Hold};
    let changed = |component: &Component, record: &DecisionRecord| {
        let before =
            record.last_good().and_then(|good| good.components.iter().find(|c| c.name == component.name));
        before.is_none_or(|before| before.artifact.digest() != component.artifact.digest())
    };
    record.is_some_and(|r| {
        r.last_good().is_none() || r.target().components.iter().any(|c| c.on_failure == Hold && changed(c, r))
    })
}

fn phase_word(phase: &Phase) -> &'static str {
    match phase {
        Phase::Applying {} => "applying",
        Phase::GoingBack { .. } => "goingBack",
        Phase::Done {} => "done",
        Phase::Quarantined { .. } => "quarantined",
        Phase::TakingBack {} => "takingBack",
        Phase::TakenBack {} => "takenBack",
    }
}

/// Once settled as healthy a level stays so in words until something is written again.
fn health_word(record: Option<&DecisionRecord>, outcome: &Outcome, before: Option<&str>) -> &'static str {
    match (record.map(DecisionRecord::phase), &outcome.applied) {
        (Some(Phase::Quarantined { .. }), _) => "failed",
        (_, Some(Applied::Healthy)) => "healthy",
        (Some(Phase::Done {}), None) if before == Some("healthy") => "healthy",
        (None, _) => "nothing installed",
        (Some(Phase::Applying {} | Phase::GoingBack { .. } | Phase::TakingBack {}), None) => "being applied",
        _ => "written; nobody measured health",
    }
}

fn applied_words(applied: &Applied, record: Option<&DecisionRecord>) -> String {
    let level = record.map_or_else(String::new, |r| r.target().level.to_string());
    match applied {
        Applied::Written => format!("level {level} written"),
        Applied::Healthy => format!("level {level} healthy"),
        Applied::GoneBack(component) => format!("level {level} failed at `{component}` and was taken back"),
        Applied::TakenBack => format!("level {level} was taken back by a person"),
    }
}
