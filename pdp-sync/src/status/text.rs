//! The status for people.

use pdp_policies::Level;
use pdp_policies::gate::{Authority, Forecast};

use super::{InstructionStatus, Status};
use crate::crd::{MoveState, MoveStatus, ZoneDataStatus};

/// The status for people: where it is, what it waits for, who can change that, and when.
pub(crate) fn text(status: &Status) -> String {
    let level = |level: Option<Level>| level.map_or_else(|| "none".to_owned(), |l| l.to_string());
    let mut lines = vec![format!("{}  level {}  {}", status.pdp, level(status.level), status.health)];
    if let Some(age) = &status.catalog {
        let sign = if age.state == "fresh" { "✔" } else { "✗ CatalogStale:" };
        lines.push(format!("  {sign} catalog {} (signed {})", age.state, age.signed_at));
    }
    lines.extend(status.instruction.as_ref().map(instruction_words));
    lines.extend(status.moves.iter().map(move_words));
    if let (Some(authority), Some(last)) = (&status.authority, status.level.or(status.target)) {
        lines.push(format!("  level {last} started by {}", authority_words(authority)));
    }
    if let Some(refusal) = &status.refusal {
        lines.push(format!("  ✗ refused {refusal}"));
        lines.push(format!("    hint: {}", refusal.code.hint()));
    }
    if let Some(cause) = &status.waiting_for {
        lines.push(format!("  ◎ waiting: {}", cause.replace('\n', "\n  ")));
    }
    if !status.obstacles.is_empty() {
        lines.push(format!("  level {} is not applied, because:", level(status.target)));
        lines.extend(status.obstacles.iter().map(|o| format!("  ✗ {o}  [{:?}]", o.owner)));
    }
    if let (Some(level), Some(forecast)) = (status.target, &status.forecast) {
        lines.extend(forecast_words(level, forecast).into_iter().map(|line| format!("  {line}")));
    }
    lines.extend(
        status.windows.iter().map(|window| format!("  {}", window.to_string().replace('\n', "\n  "))),
    );
    lines.extend(status.zone_data.iter().filter(|_| !status.windows.is_empty()).flat_map(zone_words));
    if let Some(next) = &status.next_action {
        lines.push(format!("  next possible {}", next.at));
    }
    lines.extend(status.events.iter().map(|event| format!("  ! {event}")));
    lines.extend(status.history.last().map(|last| format!("  last change: {last}")));
    lines.join("\n")
}

/// When a level can start, and whether that is in time.
pub(crate) fn forecast_words(level: Level, forecast: &Forecast) -> Vec<String> {
    let codes: Vec<_> = forecast.once.iter().map(|code| code.as_str()).collect();
    let once = if codes.is_empty() {
        String::new()
    } else {
        format!(" once people have settled {}", codes.join(", "))
    };
    let comma = if codes.is_empty() { "" } else { "," };
    let start = match (forecast.at, forecast.not_within_a_year) {
        (_, true) => format!("level {level} can't start within a year as things stand{comma}{once}"),
        (Some(at), false) => format!("level {level} can start at {at} at the earliest{comma}{once}"),
        (None, false) if codes.is_empty() => format!("level {level} can start now"),
        (None, false) => format!("level {level} can start{once}"),
    };
    let deadline = forecast.deadline.map(|deadline| {
        let sign = if forecast.late { "✗ too late for" } else { "✔ in time for" };
        let severity = format!("{:?}", deadline.severity).to_lowercase();
        format!(
            "{sign} the vendor's deadline: {} ({severity}, {})",
            deadline.at,
            deadline.severity.patience()
        )
    });
    std::iter::once(start).chain(deadline).collect()
}

/// The zone data that windows go by, and what newer rules move.
pub(crate) fn zone_words(zones: &ZoneDataStatus) -> Vec<String> {
    let whose = if zones.given { "given" } else { "pdp-sync's own" };
    let first = format!("  zone data {} ({whose})", zones.version);
    let more = zones.note.iter().chain(&zones.moved).map(|words| format!("  ! {words}"));
    std::iter::once(first).chain(more).collect()
}

/// Who opens levels here.
fn instruction_words(instruction: &InstructionStatus) -> String {
    let ceiling = instruction.ceiling.map_or_else(String::new, |level| format!(", up to level {level}"));
    let until = instruction.expires.map_or_else(String::new, |at| format!(", until {at}"));
    let earlier = instruction.earlier_ring.as_ref();
    let earlier = earlier.map_or_else(String::new, |ring| format!("; EarlierRing: the server says `{ring}`"));
    format!("  ◎ opened by {}, ring `{}`{ceiling}{until}{earlier}", instruction.by, instruction.ring)
}

/// The successor of an address, and what to do about it.
pub(crate) fn move_words(moved: &MoveStatus) -> String {
    let sign = if moved.state == MoveState::Followed { "→" } else { "✗" };
    format!("  {sign} {moved}")
}

/// On whose word the newest decision stands.
pub(crate) fn authority_words(authority: &Authority) -> String {
    match authority {
        Authority::OpenTo { ring, percent, channels, .. } => {
            format!("the channel (version {channels}: {percent} of ring `{ring}`)")
        }
        Authority::Grant { ring, attempt, issued, .. } => {
            format!("a grant of the server (ring `{ring}`, attempt {attempt}, {issued})")
        }
        Authority::RingState { ring, percent, issued, .. } => {
            format!("ring state ({percent} of ring `{ring}`, {issued})")
        }
        Authority::Approval { approvers } => format!("{} approvals of the customer", approvers.len()),
    }
}
