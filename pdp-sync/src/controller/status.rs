//! From what a pass saw to the status of the object. Pure; the same facts give the same status, so that an idle data
//! plane writes nothing.

mod parts;
mod words;

use pdp_policies::decision::{DecisionRecord, Phase};
use pdp_policies::flux::Health;
use pdp_policies::outlives;
use pdp_policies::trust::STALE_AFTER;
use pdp_policies::{At, Obstacle, ObstacleCode};
use pdp_transport::cli::Failure;

use super::conditions::{self, Also, Stand};
use super::{components, history};
use crate::crd::{
    CatalogState, CatalogStatus, ConditionType as Type, LevelStatus, TargetPhase, TargetStatus,
    UpdateSubscriptionStatus as Status,
};
use crate::instruct::Trouble;
use crate::status::{self, Outcome, Seen};
use crate::target::Fight;

use parts::{foreign, instruction, left_behind, next_action, obstacle, refusal};
use words::{failure_words, health_words, under_way_words};

/// What a pass left behind.
pub(super) struct Facts<'a> {
    pub(super) outcome: &'a Outcome,
    /// The decision as it is stored now.
    pub(super) record: Option<&'a DecisionRecord>,
    /// When the catalog was signed that was seen last, in this pass or before.
    pub(super) signed_at: Option<At>,
    pub(super) generation: i64,
    pub(super) now: At,
}

/// The status after a pass. `before` is the one that stands in the object.
pub(super) fn of(facts: &Facts<'_>, before: &Status) -> Status {
    let (outcome, record) = (facts.outcome, facts.record);
    let obstacles = status::waiting(&outcome.seen).map(|(_, obstacles)| obstacles).unwrap_or_default();
    let catalog = catalog(facts, before);
    let stand = stand(facts, &obstacles);
    let asked_vendor = outcome.versions.is_some();
    let components = components::of(facts, before);
    let mixed = record.is_some_and(|record| components::is_mixed(record, &components));
    let extra = extra(facts, &obstacles, &catalog, mixed, before);
    let installed = record.and_then(DecisionRecord::installed);
    Status {
        observed_generation: conditions::observed_generation(
            &stand,
            before.observed_generation,
            facts.generation,
        ),
        conditions: conditions::conditions(&stand, &extra, &before.conditions, facts.generation, facts.now),
        level: installed.map(|level| level.level),
        release_digest: installed.map(|level| level.sha256),
        version: record.and_then(installed_release).map(|release| release.version.clone()),
        target: target(facts, &obstacles),
        last_good: record.and_then(last_good),
        next_action: next_action(&obstacles),
        forecast: status::forecast(&outcome.seen),
        candidates: outcome.candidates.clone(),
        obstacles: obstacles.iter().map(obstacle).collect(),
        refusal: refusal(outcome),
        components,
        catalog,
        instruction: match asked_vendor {
            true => outcome.instruction.as_ref().map(instruction),
            false => before.instruction.clone(),
        },
        moves: outcome.moves.clone().unwrap_or_else(|| before.moves.clone()),
        zone_data: outcome.zones.clone().or_else(|| before.zone_data.clone()),
        history: history::of(facts, before),
        policy_loosened: record.is_some_and(|record| record.policy().loosened),
        last_handled_reconcile_at: before.last_handled_reconcile_at.clone(),
        last_handled_force_at: before.last_handled_force_at.clone(),
    }
}

/// The status of an object that can't even be read as a subscription.
pub(super) fn unusable(failure: Failure, generation: i64, before: &Status, now: At) -> Status {
    let outcome = Outcome::default().with(Seen::Unavailable(failure));
    let stand = stand(&Facts { outcome: &outcome, record: None, signed_at: None, generation, now }, &[]);
    standing(&stand, generation, before, now)
}

/// The status beside another subscription that was first: nothing is looked at, all that was said stays.
pub(super) fn shut_out(first: &Obstacle, generation: i64, before: &Status, now: At) -> Status {
    let stand = match before.level {
        Some(level) => Stand::Done { message: format!("level {level} is installed; {first}") },
        None => Stand::UnderWay {
            reason: first.code.as_str().to_owned(),
            message: format!("nothing is installed; {first}"),
        },
    };
    let mut also = kept(before);
    also.retain(|(kind, ..)| *kind != Type::Blocked);
    also.push((Type::Blocked, first.code.as_str().to_owned(), first.to_string()));
    Status {
        observed_generation: conditions::observed_generation(&stand, before.observed_generation, generation),
        conditions: conditions::conditions(&stand, &also, &before.conditions, generation, now),
        obstacles: vec![obstacle(first)],
        next_action: None,
        forecast: None,
        candidates: Vec::new(),
        ..before.clone()
    }
}

/// The status when no pass was made: all that was said stays, but for where it stands.
pub(super) fn standing(stand: &Stand, generation: i64, before: &Status, now: At) -> Status {
    Status {
        observed_generation: conditions::observed_generation(stand, before.observed_generation, generation),
        conditions: conditions::conditions(stand, &kept(before), &before.conditions, generation, now),
        ..before.clone()
    }
}

/// Everything abnormal that was said before, when this pass learnt nothing new about it.
fn kept(before: &Status) -> Vec<Also> {
    const ALL: [Type; 12] = [
        Type::Verified,
        Type::CatalogStale,
        Type::Blocked,
        Type::Healthy,
        Type::UpToDate,
        Type::Mixed,
        Type::ForeignImage,
        Type::PolicyIneffective,
        Type::Exposed,
        Type::EarlierRing,
        Type::InstructionRefused,
        Type::InstructionUnavailable,
    ];
    let said = |kind: Type| {
        let condition = before.conditions.iter().find(|condition| condition.type_ == kind.as_str())?;
        Some((kind, condition.reason.clone(), condition.message.clone()))
    };
    ALL.into_iter().filter_map(said).collect()
}

fn stand(facts: &Facts<'_>, obstacles: &[Obstacle]) -> Stand {
    match &facts.outcome.seen {
        Seen::Refused { refusal, behind } => {
            let message = format!("refused {refusal}; {}", refusal.code.hint());
            match behind {
                true => Stand::Retrying { reason: "CatalogBehind".to_owned(), message },
                false => Stand::Stalled { reason: refusal.code.as_str().to_owned(), message },
            }
        }
        Seen::Unavailable(failure) => {
            let (reason, message) = (failure.code.clone(), failure_words(failure));
            match failure.transient {
                true => Stand::Retrying { reason, message },
                false => Stand::Stalled { reason, message },
            }
        }
        Seen::UnderWay(under_way) if !under_way.fought.is_empty() => contested(&under_way.fought),
        Seen::UnderWay(under_way) => {
            let message = under_way_words(facts.record, under_way);
            Stand::UnderWay { reason: "Progressing".to_owned(), message }
        }
        Seen::Preflight(level, open) => {
            let message = format!("level {}: Flux fetches {}", level.level, health_words(open));
            Stand::UnderWay { reason: "Preflight".to_owned(), message }
        }
        _ => settled(facts, obstacles),
    }
}

/// Only people can end it.
fn contested(fought: &[Fight]) -> Stand {
    let message = fought.iter().map(Fight::to_string).collect::<Vec<_>>().join("; ");
    Stand::Stalled { reason: "ForeignWriter".to_owned(), message }
}

/// Nothing is under way.
fn settled(facts: &Facts<'_>, obstacles: &[Obstacle]) -> Stand {
    if !facts.outcome.tidied.fought.is_empty() {
        return contested(&facts.outcome.tidied.fought);
    }
    let waits = match (obstacles.first(), status::waiting(&facts.outcome.seen)) {
        (Some(first), Some((level, _))) => format!("level {level} waits: {first}"),
        _ => "nothing newer is promoted".to_owned(),
    };
    let Some(record) = facts.record else {
        let reason = obstacles.first().map_or("NothingInstalled", |obstacle| obstacle.code.as_str());
        return Stand::UnderWay {
            reason: reason.to_owned(),
            message: format!("nothing is installed; {waits}"),
        };
    };
    if let Phase::Quarantined { component, cause, .. } = record.phase() {
        let level = record.target().level;
        let after = match record.last_good() {
            Some(_) => "and went back",
            None => "and stays as it is: no level was good before, so there is nothing to go back to",
        };
        let cause = cause.as_ref().map_or_else(String::new, |cause| format!(" ({cause})"));
        let left = outlives::words(&left_behind(record));
        let message =
            format!("level {level} failed at `{component}`{cause} {after}; {}{left}", again(record));
        return Stand::Stalled { reason: "LevelFailed".to_owned(), message };
    }
    let level = record.installed().map_or_else(|| "no level".to_owned(), |it| format!("level {}", it.level));
    Stand::Done { message: format!("{level} is installed; {waits}") }
}

/// Whether a level that failed is tried again.
fn again(record: &DecisionRecord) -> String {
    let names: Vec<_> = record.phase().foreign().iter().map(ToString::to_string).collect();
    match record.may_be_mended() {
        true => format!("it is tried again once spec.policy.ownImages lists {}", names.join(", ")),
        false => "it isn't tried again".to_owned(),
    }
}

fn extra(
    facts: &Facts<'_>,
    obstacles: &[Obstacle],
    catalog: &Option<CatalogStatus>,
    mixed: bool,
    before: &Status,
) -> Vec<Also> {
    let (outcome, record) = (facts.outcome, facts.record);
    let learnt = outcome.versions.is_some();
    let mut found = Vec::new();
    let mut add = |kind: Type, reason: &str, message: String| {
        found.push((kind, reason.to_owned(), message));
    };
    if record.and_then(DecisionRecord::installed).is_some() {
        let pruned = outcome.pruned.map_or_else(String::new, |level| {
            format!("; the channel names level {level} no more: it keeps running until a higher one starts")
        });
        add(
            Type::Verified,
            "CatalogAndDigests",
            format!("every digest follows from the pinned root{pruned}"),
        );
    }
    if let Some(catalog) = catalog.as_ref().filter(|catalog| catalog.state != CatalogState::Fresh) {
        let signed = catalog.signed_at.map_or_else(String::new, |at| format!("; signed last at {at}"));
        let reason = if catalog.state == CatalogState::Expired { "CatalogExpired" } else { "CatalogOld" };
        add(Type::CatalogStale, reason, format!("the vendor's catalog isn't renewed{signed}"));
    }
    if let Some(first) = obstacles.first() {
        let all: Vec<_> = obstacles.iter().map(ToString::to_string).collect();
        add(Type::Blocked, first.code.as_str(), all.join("; "));
    }
    if mixed {
        add(Type::Mixed, "HeldAfterFailure", "components of two levels run side by side".to_owned());
    }
    if let Some(words) = foreign(&outcome.tidied) {
        add(Type::ForeignImage, ObstacleCode::ForeignImage.as_str(), words);
    }
    let parts = &outcome.tidied.components;
    if !parts.is_empty() && parts.iter().all(|it| matches!(it.health, Health::Healthy { .. })) {
        add(Type::Healthy, "AllHealthy", format!("{} components", parts.len()));
    }
    if matches!(outcome.seen, Seen::Verdict(pdp_policies::gate::Verdict::UpToDate, _)) {
        add(Type::UpToDate, "NothingNewer", "nothing newer is promoted".to_owned());
    }
    if !outcome.ineffective.is_empty() {
        let problems = outcome.ineffective.join("; ");
        add(Type::PolicyIneffective, "ProtectsNothing", format!("nothing starts: {problems}"));
    }
    if outcome.exposed {
        add(
            Type::Exposed,
            "BelowSecurityFloor",
            "the installed level is below the vendor's security floor".to_owned(),
        );
    } else if let Some(withdrawal) = &outcome.withdrawn {
        let fix = withdrawal.fixed_by.map_or_else(String::new, |level| format!("; level {level} fixes it"));
        add(
            Type::Exposed,
            "Withdrawn",
            format!("the installed level was withdrawn: {}{fix}", withdrawal.reason),
        );
    }
    if let Some(ring) = outcome.instruction.as_ref().and_then(|it| it.earlier_ring.as_ref()) {
        add(Type::EarlierRing, "LaterRingCounts", format!("the server says `{ring}`, an earlier ring"));
    }
    match &outcome.trouble {
        Some(Trouble::Refused(refusal)) => {
            add(Type::InstructionRefused, refusal.code.as_str(), refusal.to_string())
        }
        Some(Trouble::Unavailable(code, words)) => {
            add(Type::InstructionUnavailable, code, words.replace('\n', ";"))
        }
        None => {}
    }
    let new: Vec<_> = found.iter().map(|(kind, ..)| *kind).collect();
    let by_catalog = [
        Type::PolicyIneffective,
        Type::Exposed,
        Type::EarlierRing,
        Type::InstructionRefused,
        Type::InstructionUnavailable,
    ];
    // Where the pass broke off before it looked at the workloads, nobody knows better.
    let unseen = outcome.tidied.components.is_empty() && matches!(outcome.seen, Seen::Unavailable(_));
    let stays = |kind: Type| match kind {
        Type::ForeignImage => unseen,
        kind => !learnt && by_catalog.contains(&kind),
    };
    let old = kept(before).into_iter().filter(|(kind, ..)| stays(*kind));
    found.extend(old.filter(|(kind, ..)| !new.contains(kind)));
    found
}

/// Its age counts even when the vendor can't be reached.
fn catalog(facts: &Facts<'_>, before: &Status) -> Option<CatalogStatus> {
    let (channels, targets) = match (&facts.outcome.versions, &before.catalog) {
        (Some(versions), _) => (versions.channels, versions.targets),
        (None, Some(before)) => (before.channels, before.targets),
        (None, None) => return None,
    };
    let expired = facts.outcome.catalog.as_ref().is_some_and(|age| age.state.starts_with("expired"));
    let Some(signed_at) = facts.signed_at else { return before.catalog.clone() };
    let state = match facts.now.seconds_since(signed_at) > STALE_AFTER.seconds() {
        _ if expired => CatalogState::Expired,
        true => CatalogState::Stale,
        false => CatalogState::Fresh,
    };
    let signed_at = (state != CatalogState::Fresh).then_some(signed_at);
    Some(CatalogStatus { state, signed_at, channels, targets })
}

fn target(facts: &Facts<'_>, obstacles: &[Obstacle]) -> Option<TargetStatus> {
    let waiting = match &facts.outcome.seen {
        Seen::Preflight(level, _) => Some((*level, TargetPhase::Preflight)),
        Seen::Blocked(level, _) => Some((*level, TargetPhase::Waiting)),
        Seen::Verdict(verdict, _) => {
            status::waiting_level(verdict).map(|level| (level, TargetPhase::Waiting))
        }
        _ => None,
    };
    let record = facts.record;
    if let Some((level, phase)) = waiting {
        let same = record.filter(|record| record.target_digest() == level);
        return Some(TargetStatus {
            level: level.level,
            release_digest: level.sha256,
            phase: same.and_then(|record| phase_of(record.phase())).unwrap_or(phase),
            stage: None,
            attempt: None,
            decided_at: None,
            authority: None,
            failed: same.and_then(|record| record.phase().failed().cloned()),
            cause: same.and_then(|record| record.phase().cause().map(str::to_owned)),
            left_behind: same.map(left_behind).unwrap_or_default(),
        })
        .filter(|_| !obstacles.is_empty() || phase == TargetPhase::Preflight);
    }
    let record = record?;
    let stage = match &facts.outcome.seen {
        Seen::UnderWay(under_way) => Some(under_way.turn.stage),
        _ => None,
    };
    Some(TargetStatus {
        level: record.target().level,
        release_digest: record.target_digest().sha256,
        phase: phase_of(record.phase())?,
        stage,
        attempt: Some(record.attempt()),
        decided_at: Some(record.decided_at()),
        authority: Some(record.authority().clone()),
        failed: record.phase().failed().cloned(),
        cause: record.phase().cause().map(str::to_owned),
        left_behind: left_behind(record),
    })
}

fn phase_of(phase: &Phase) -> Option<TargetPhase> {
    Some(match phase {
        Phase::Applying {} => TargetPhase::Applying,
        Phase::GoingBack { .. } => TargetPhase::GoingBack,
        Phase::Quarantined { .. } => TargetPhase::Quarantined,
        Phase::TakingBack {} => TargetPhase::TakingBack,
        Phase::TakenBack {} => TargetPhase::TakenBack,
        Phase::Done {} => return None,
    })
}

fn installed_release(record: &DecisionRecord) -> Option<&pdp_policies::Release> {
    match record.phase() {
        Phase::Done {} => Some(record.target()),
        _ => record.last_good(),
    }
}

fn last_good(record: &DecisionRecord) -> Option<LevelStatus> {
    let (level, release_digest) = record.last_good_digest().map(|it| (it.level, it.sha256))?;
    Some(LevelStatus { level, release_digest })
}
