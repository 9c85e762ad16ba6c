//! The customer's approvals of one release: who said yes, who is missing, what doesn't count.

use std::collections::{BTreeMap, BTreeSet};

use super::Situation;
use super::permit::ApprovedBy;
use super::quorum::{Missing, missing_of};
use crate::approval_rule::{ApprovalRule, People, Superseded};
use crate::channel::Channel;
use crate::codes::{Obstacle, ObstacleCode as Code};
use crate::digest::Digest;
use crate::instruction::ApprovalDecision;
use crate::names::Level;
use crate::person::PersonName;
use crate::policy::Policy;
use crate::trust::{Approved, Uncounted, Verified};

/// So many names, or approvals that don't count, are told.
const NAMED: usize = 8;

/// Those who approved this release, or what is missing. One rejection is enough to hold it.
pub(super) fn approved(
    policy: &Policy,
    channel: &Channel,
    situation: &Situation<'_>,
    level: Level,
    release: &Digest,
) -> Result<Vec<ApprovedBy>, Obstacle> {
    let Some(rule) = &policy.approval else { return Ok(Vec::new()) };
    let waits = |detail: String| Err(Obstacle::new(Code::AwaitingApproval, None, detail));
    let of_release = || situation.approvals.iter().filter(|it| it.approval.sha256 == *release);
    if let Some(no) = of_release().find(|it| it.approval.decision == ApprovalDecision::Reject) {
        let name = name(&rule.everybody_named(), no);
        return waits(format!("rejected by {name}: {}", crate::printable(&no.approval.reason)));
    }
    if let Some(newer) = superseded(rule, channel, situation, level) {
        return waits(format!("level {newer} takes its place, and the policy holds what is superseded"));
    }
    // Read once: the keys of a rule are many, and each approval asks for a name.
    let people = rule.people();
    let approved_by =
        |it: &Verified<Approved>| ApprovedBy { name: name(&people, it), key: it.approver.clone() };
    let mut keys = BTreeSet::new();
    // One key is one vote, whatever names it signs under.
    let yes = of_release().filter(|it| keys.insert(&it.approver));
    let yes: BTreeMap<_, _> = yes.map(|it| (it.person.clone(), approved_by(it))).collect();
    let groups = rule.all_groups();
    let said: BTreeSet<_> = yes.keys().cloned().collect();
    let missing = missing_of(&groups, &said);
    if missing.is_empty() {
        return Ok(yes.into_values().collect());
    }
    let lines: Vec<_> = missing.iter().map(|missing| waits_for(missing, &people, &said)).collect();
    waits(format!("{}{}", lines.join("; "), uncounted(channel, situation, release)))
}

fn name(people: &People, approved: &Approved) -> String {
    people.names.get(&approved.person).cloned().unwrap_or_else(|| approved.approver.clone())
}

/// `1 of 2 approvals, waits for 1 of: a.lind, b.berg`.
fn waits_for(missing: &Missing<'_>, people: &People, yes: &BTreeSet<PersonName>) -> String {
    let (group, count) = (missing.group, missing.count);
    let quorum = group.quorum.max(1);
    let whose =
        group.name.as_ref().map_or_else(String::new, |name| format!(" of `{}`", crate::printable(name)));
    let silent = group.people.iter().filter(|person| !yes.contains(person));
    let names: Vec<_> = silent.filter_map(|person| people.names.get(person).map(String::as_str)).collect();
    let there = quorum.saturating_sub(count);
    format!("{there} of {quorum} approvals{whose}, waits for {count} of: {}", first(&names))
}

fn first(names: &[&str]) -> String {
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let names: Vec<_> = names.iter().take(NAMED).copied().collect();
    format!("{}{more}", names.join(", "))
}

/// Each approval that doesn't count, with the reason: for this release, or for another one that could still start.
fn uncounted(channel: &Channel, situation: &Situation<'_>, release: &Digest) -> String {
    let installed = situation.installed.map(|installed| installed.level);
    let level = |sha256: Digest| {
        let named = channel.levels.iter().find(|(_, promotion)| promotion.sha256 == sha256);
        named.map(|(level, _)| *level).filter(|level| Some(*level) > installed)
    };
    let line = |it: &Uncounted| match it.sha256.filter(|sha256| sha256 != release) {
        None => Some(format!("{} ({})", it.name, it.reason)),
        Some(other) => Some(format!("{} for level {} ({})", it.name, level(other)?, it.reason)),
    };
    let lines: Vec<_> = situation.uncounted.iter().filter_map(line).collect();
    if lines.is_empty() {
        return String::new();
    }
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    format!("; doesn't count: {}", first(&lines))
}

/// The level that takes its place, if the policy holds what is superseded.
fn superseded(
    rule: &ApprovalRule,
    channel: &Channel,
    situation: &Situation<'_>,
    level: Level,
) -> Option<Level> {
    let organization = &situation.pdp.organization;
    let newer = channel
        .levels
        .iter()
        .rev()
        .find(|(_, promotion)| promotion.supersedes.contains(&level) && promotion.is_for(organization));
    newer.map(|(newer, _)| *newer).filter(|_| rule.superseded == Superseded::Holds)
}
