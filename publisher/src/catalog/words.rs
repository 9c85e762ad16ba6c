//! What a proposal changes in a channel, as release managers say it.

use std::fmt::Display;

use pdp_policies::trust::Role;
use pdp_policies::{CatalogTree, Channel, Level, Promotion, RingPlan};
use pdp_transport::cli::failure::Result;

use super::changes::{listed_file, printable};
use super::role::RoleFile;

/// One line for each change that means something to people; the values beside it are complete. Only files that the role
/// lists are read, as it lists them: others are nobody's word.
///
/// # Errors
/// When a file that the role lists newly is missing, or isn't the one that it lists.
pub(super) fn words(
    current: &CatalogTree,
    before: &RoleFile,
    tree: &CatalogTree,
    file: &RoleFile,
) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    if file.role != Role::Channels {
        return Ok(lines);
    }
    for (name, listed) in file.signed["targets"].as_object().into_iter().flatten() {
        if before.signed["targets"].get(name) == Some(listed) {
            continue;
        }
        let path = format!("targets/{name}");
        let after = Channel::read(&path, listed_file(tree, current, &path, listed)?);
        let old = current.get(&path).and_then(|bytes| Channel::read(&path, bytes).ok());
        if let (Some(old), Ok(after)) = (old, after) {
            let said = of_channel(&old, &after);
            lines.extend(said.into_iter().map(|it| printable(&format!("{}: {it}", after.line))));
        }
    }
    Ok(lines)
}

/// What is another than before.
fn of_channel(before: &Channel, after: &Channel) -> Vec<String> {
    let mut lines = Vec::new();
    match (&before.stop, &after.stop) {
        (None, Some(stop)) => lines.push(format!("STOPPED: nothing starts anywhere ({})", stop.reason)),
        (Some(_), None) => lines.push("the brake is taken off".to_owned()),
        (Some(was), Some(is)) if was != is => lines.push(format!("still stopped, now: {}", is.reason)),
        _ => {}
    }
    for (level, promotion) in &after.levels {
        match before.levels.get(level) {
            None => lines.extend(promoted(*level, promotion)),
            Some(old) => lines.extend(opened(*level, old, promotion)),
        }
    }
    let gone = before.levels.keys().filter(|level| !after.levels.contains_key(level));
    lines.extend(gone.map(|level| format!("level {level} is PROMOTED NO MORE")));
    for (level, withdrawal) in &after.withdrawn {
        if before.withdrawn.get(level) != Some(withdrawal) {
            lines.push(format!("level {level} is withdrawn: {}", withdrawal.reason));
        }
    }
    let stays = |level: &&Level| after.levels.contains_key(level) && !after.withdrawn.contains_key(level);
    let back = before.withdrawn.keys().filter(stays);
    lines.extend(back.map(|level| format!("level {level} is WITHDRAWN NO MORE")));
    lines.extend(changed("security floor", before.floor, after.floor));
    lines.extend(changed("pruned up to level", before.pruned_through, after.pruned_through));
    lines.extend(plan(&before.plan, &after.plan));
    lines
}

fn promoted(level: Level, promotion: &Promotion) -> Vec<String> {
    let whom = match promotion.audience.len() {
        0 => String::new(),
        organizations => format!(" for {organizations} organization(s) alone"),
    };
    let mut lines = vec![format!("level {level} is promoted at tempo {:?}{whom}", promotion.tempo)];
    lines
        .extend(promotion.opens_at.iter().map(|(ring, at)| format!("level {level} opens to {ring} at {at}")));
    for asked in &promotion.asks_override {
        lines.push(format!("level {level} ASKS customers to let it pass {asked:?}"));
    }
    lines
}

fn opened(level: Level, before: &Promotion, after: &Promotion) -> Vec<String> {
    let mut lines = Vec::new();
    for (ring, at) in &after.opens_at {
        match before.opens_at.get(ring) {
            Some(was) if was == at => {}
            Some(was) => lines.push(format!("level {level} opens to {ring} at {at}, not at {was}")),
            None => lines.push(format!("level {level} opens to {ring} at {at}")),
        }
    }
    for (ring, share) in &after.open_to {
        let was = before.open_to.get(ring).map_or_else(|| "0 %".to_owned(), ToString::to_string);
        if was != share.to_string() {
            lines.push(format!("level {level} without the server: {ring} {was} → {share}"));
        }
    }
    lines
}

fn plan(before: &RingPlan, after: &RingPlan) -> Vec<String> {
    let mut lines = Vec::new();
    for ring in &after.rings {
        let name = &ring.name;
        let Some(old) = before.rings.iter().find(|it| it.name == *name) else {
            lines.push(format!("{name}: a new ring"));
            continue;
        };
        let of = |what: &str| format!("{name}: {what}");
        lines.extend(changed(&of("failure budget"), Some(old.failure_budget), Some(ring.failure_budget)));
        lines.extend(changed(&of("healthy share"), Some(old.healthy_share), Some(ring.healthy_share)));
        lines.extend(changed(&of("least sample"), Some(old.min_sample), Some(ring.min_sample)));
        let failures = (Some(old.organization_failures), Some(ring.organization_failures));
        lines.extend(changed(&of("failures of one organization"), failures.0, failures.1));
        if (&old.waves, old.in_flight) != (&ring.waves, ring.in_flight) {
            lines.push(of("other waves, or another number in flight"));
        }
    }
    let gone = before.rings.iter().filter(|old| after.rings.iter().all(|it| it.name != old.name));
    lines.extend(gone.map(|ring| format!("{}: the ring is GONE", ring.name)));
    if before.tempos != after.tempos {
        lines.push("other times of the tempos".to_owned());
    }
    lines
}

fn changed<T: Display + PartialEq>(what: &str, before: Option<T>, after: Option<T>) -> Option<String> {
    let shown = |value: &Option<T>| value.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
    (before != after).then(|| format!("{what} {} → {}", shown(&before), shown(&after)))
}
