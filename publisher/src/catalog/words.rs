//! What a proposal changes in a channel, in a list of keys, and in who holds what, as people say it.

use std::fmt::Display;

use pdp_policies::moves::Move;
use pdp_policies::trust::Role;
use pdp_policies::{CatalogTree, Channel, KeyList, KeyPurpose, Level, Promotion, RingPlan, printable};
use pdp_transport::cli::failure::Result;

use super::changes::listed_file;
use super::holder_words::of_holders;
use super::key_words::of_keys;
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
    let mut lines: Vec<_> = of_holders(before, file).iter().map(|line| printable(line)).collect();
    if !matches!(file.role, Role::Channels | Role::Targets) {
        return Ok(lines);
    }
    for (name, listed) in file.signed["targets"].as_object().into_iter().flatten() {
        if before.signed["targets"].get(name) == Some(listed) {
            continue;
        }
        let path = format!("targets/{name}");
        let (old, new) = (current.get(&path), listed_file(tree, current, &path, listed)?);
        let said = match file.role {
            Role::Targets => in_key_list(name, &path, old, new),
            _ => in_channel(&path, old, new),
        };
        lines.extend(said.iter().map(|line| printable(line)));
    }
    Ok(lines)
}

fn in_channel(path: &str, old: Option<&[u8]>, new: &[u8]) -> Vec<String> {
    let old = old.and_then(|bytes| Channel::read(path, bytes).ok());
    let (Some(old), Ok(new)) = (old, Channel::read(path, new)) else { return Vec::new() };
    of_channel(&old, &new).into_iter().map(|it| format!("{}: {it}", new.line)).collect()
}

fn in_key_list(name: &str, path: &str, old: Option<&[u8]>, new: &[u8]) -> Vec<String> {
    let purpose = [KeyPurpose::Director, KeyPurpose::Artifact].into_iter().find(|it| it.file() == name);
    let Some(purpose) = purpose else { return Vec::new() };
    let old = old.and_then(|bytes| KeyList::read(path, bytes).ok());
    match KeyList::read(path, new) {
        Ok(new) => of_keys(purpose, &old.unwrap_or_else(|| KeyList::active([])), &new),
        Err(refusal) => vec![format!("every data plane would refuse it: {refusal}")],
    }
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
    lines.extend(moves(&before.moves, &after.moves));
    lines.extend(changed("pruned up to level", before.pruned_through, after.pruned_through));
    lines.extend(plan(&before.plan, &after.plan));
    lines
}

/// Where data planes look from now on: whoever signs should know both hosts.
fn moves(before: &[Move], after: &[Move]) -> Vec<String> {
    let new = after.iter().filter(|one| !before.contains(one));
    let gone =
        before.iter().filter(|old| after.iter().all(|one| (one.kind, &one.from) != (old.kind, &old.from)));
    let said = new.map(|Move { kind, from, to, since, until }| {
        let moved = format!("the {kind} MOVES from {from} to {to} from {since} on");
        format!("{moved}; the old address is kept until {until}")
    });
    said.chain(gone.map(|Move { kind, from, to, .. }| {
        format!("the move of the {kind} from {from} to {to} is TAKEN BACK: data planes go back to {from}")
    }))
    .collect()
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
