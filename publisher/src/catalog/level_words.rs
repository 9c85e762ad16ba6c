//! What a promoted level is, for whom, and what it holds, as people say it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use pdp_policies::release::{Component, ReleaseKind};
use pdp_policies::{
    CatalogTree, Channel, Digest, Level, Line, Organization, Promotion, Release, audience_member,
};

use super::channel_words::critical;
use crate::advisories::Told;

/// What is known beside the channel.
#[derive(Default)]
pub(super) struct Known<'a> {
    /// Where descriptors may lie. Anybody may have written them: only what a channel names by its SHA-256 counts.
    pub(super) trees: Vec<&'a CatalogTree>,
    /// Whom a hotfix may be for; the catalog names nobody.
    pub(super) organizations: &'a [Organization],
}

impl Known<'_> {
    fn release(&self, line: &Line, level: Level, promotion: &Promotion) -> Option<Release> {
        let path = format!("targets/{}", Release::target_name(line, level));
        let mut found = self.trees.iter().filter_map(|tree| tree.get(&path));
        Release::read(&path, found.find(|bytes| Digest::of(bytes) == promotion.sha256)?).ok()
    }

    /// An organization of an audience, or what the catalog has in place of its name.
    fn name(&self, promotion: &Promotion, member: &Digest) -> String {
        let is = |name: &&Organization| audience_member(&promotion.sha256, name) == *member;
        match self.organizations.iter().find(is) {
            Some(name) => format!("`{name}`"),
            None => format!("one that no --organization names ({})", member.short()),
        }
    }
}

/// A level that enters its channel.
pub(super) fn promoted(
    channel: &Channel,
    level: Level,
    promotion: &Promotion,
    known: &Known<'_>,
) -> Vec<String> {
    let whom = audience(promotion, known).map(|whom| format!(" for {whom}")).unwrap_or_default();
    let mut lines = vec![format!("level {level} is promoted at tempo {:?}{whom}", promotion.tempo)];
    lines.extend(content(channel, level, promotion, known));
    lines
        .extend(promotion.opens_at.iter().map(|(ring, at)| format!("level {level} opens to {ring} at {at}")));
    lines.extend(shares(level, None, promotion));
    lines.extend(
        promotion.supersedes.iter().map(|old| format!("level {level} takes the place of level {old}")),
    );
    lines.extend(asks(level, None, promotion));
    lines
}

/// A level that was promoted before.
pub(super) fn changed_level(
    level: Level,
    before: &Promotion,
    after: &Promotion,
    known: &Known<'_>,
) -> Vec<String> {
    let mut lines = Vec::new();
    if (before.sha256, before.length) != (after.sha256, after.length) {
        lines.push(format!("level {level} is ANOTHER RELEASE under the same number: data planes refuse it"));
    }
    if before.audience != after.audience {
        let of = |promotion| audience(promotion, known).unwrap_or_else(|| "EVERYBODY".to_owned());
        lines.push(format!("level {level} is for {}, not for {}", of(after), of(before)));
    }
    for (ring, at) in &after.opens_at {
        match before.opens_at.get(ring) {
            Some(was) if was == at => {}
            Some(was) => lines.push(format!("level {level} opens to {ring} at {at}, not at {was}")),
            None => lines.push(format!("level {level} opens to {ring} at {at}")),
        }
    }
    let gone = before.opens_at.keys().filter(|ring| !after.opens_at.contains_key(*ring));
    lines.extend(gone.map(|ring| format!("level {level} opens to {ring} NO MORE")));
    lines.extend(shares(level, Some(before), after));
    lines.extend(asks(level, Some(before), after));
    lines.extend(other(level, "tempo", format!("{:?}", before.tempo), format!("{:?}", after.tempo)));
    lines.extend(other(level, "promoted at", before.promoted_at, after.promoted_at));
    lines.extend(other(level, "takes the place of", levels(&before.supersedes), levels(&after.supersedes)));
    lines.extend(other(level, "made on level", levels(&before.base), levels(&after.base)));
    lines
}

/// A release as such, without a channel.
pub(super) fn of_release(level: Level, release: &Release, before: Option<&Release>) -> Vec<String> {
    let kind = match release.kind {
        ReleaseKind::Update => "an update",
        ReleaseKind::Security => "a security update",
        ReleaseKind::Hotfix => "a hotfix",
    };
    let fixes = match (release.advisories.len(), release.severity()) {
        (n, Some(severity)) => format!(", fixes {n} vulnerabilities, the worst of them {severity:?}"),
        _ => String::new(),
    };
    let mut lines = vec![format!("level {level} is {kind}, version {}{fixes}", release.version)];
    lines.extend(release.advisories.iter().map(|it| format!("level {level} fixes {}", Told::of(it).words())));
    lines.extend(critical(&format!("level {level}"), &[], &release.critical));
    lines.push(match before {
        Some(before) => {
            format!("level {level} against level {}: {}", before.level, compared(before, release))
        }
        None => format!("level {level} installs {}", joined(release.components.iter().map(shown))),
    });
    if !release.removed.is_empty() {
        lines.push(format!(
            "level {level} REMOVES {}",
            joined(release.removed.iter().map(ToString::to_string))
        ));
    }
    let requires = &release.requires;
    let versions = [
        requires.from.map(|from| format!("level {from} installed before")),
        requires.kubernetes.as_ref().map(|it| format!("Kubernetes {it}")),
        requires.flux.as_ref().map(|it| format!("Flux {it}")),
        requires.pdp_sync.as_ref().map(|it| format!("pdp-sync {it}")),
    ];
    lines.extend(versions.into_iter().flatten().map(|what| format!("level {level} needs {what}")));
    lines
}

/// The release that a promotion names, against the one that it was made from, or else the next lower one.
fn content(channel: &Channel, level: Level, promotion: &Promotion, known: &Known<'_>) -> Vec<String> {
    let Some(release) = known.release(&channel.line, level, promotion) else {
        return vec![format!(
            "level {level} is a release that NOBODY CAN SHOW: neither published nor proposed, SHA-256 {}",
            promotion.sha256.hex()
        )];
    };
    let below = channel.levels.range(..level).next_back().map(|(level, _)| *level);
    let before = release.base.filter(|base| channel.levels.contains_key(base)).or(below);
    let before = before.and_then(|level| known.release(&channel.line, level, channel.levels.get(&level)?));
    of_release(level, &release, before.as_ref())
}

/// Components that come, go, or are others.
fn compared(before: &Release, after: &Release) -> String {
    let by_name = |release: &'_ Release| -> BTreeMap<_, _> {
        release.components.iter().cloned().map(|it| (it.name.clone(), it)).collect()
    };
    let (was, is) = (by_name(before), by_name(after));
    let mut found = Vec::new();
    for (name, component) in &is {
        match was.get(name) {
            None => found.push(format!("NEW {}", shown(component))),
            Some(old) if old.version != component.version => {
                found.push(format!("{name} {} → {}", old.version, component.version));
            }
            Some(old) if old != component => {
                found.push(format!("{} of other bytes or settings", shown(component)));
            }
            Some(_) => {}
        }
    }
    found.extend(was.keys().filter(|name| !is.contains_key(*name)).map(|name| format!("{name} isn't in it")));
    if found.is_empty() { "the same components".to_owned() } else { joined(found.into_iter()) }
}

fn shown(component: &Component) -> String {
    format!("{} {}", component.name, component.version)
}

fn audience(promotion: &Promotion, known: &Known<'_>) -> Option<String> {
    let members = promotion.audience.iter().map(|member| known.name(promotion, member));
    let organizations = promotion.audience.len();
    (organizations > 0).then(|| format!("{organizations} organization(s) ALONE: {}", joined(members)))
}

/// What starts without the server.
fn shares(level: Level, before: Option<&Promotion>, after: &Promotion) -> Vec<String> {
    let was =
        |ring| before.and_then(|before| before.open_to.get(ring)).map_or_else(none, ToString::to_string);
    let none_now = before.into_iter().flat_map(|before| before.open_to.keys());
    let rings: BTreeSet<_> = after.open_to.keys().chain(none_now).collect();
    let is = |ring| after.open_to.get(ring).map_or_else(none, ToString::to_string);
    let changed = rings.into_iter().filter(|ring| was(*ring) != is(*ring));
    changed
        .map(|ring| format!("level {level} without the server: {ring} {} → {}", was(ring), is(ring)))
        .collect()
}

fn none() -> String {
    "0 %".to_owned()
}

fn asks(level: Level, before: Option<&Promotion>, after: &Promotion) -> Vec<String> {
    let asked =
        |it: &&pdp_policies::Overridable| before.is_some_and(|before| before.asks_override.contains(it));
    let new = after.asks_override.iter().filter(|it| !asked(it));
    let new = new.map(|it| format!("level {level} ASKS customers to let it pass {it:?}"));
    let gone = before.into_iter().flat_map(|before| before.asks_override.difference(&after.asks_override));
    new.chain(gone.map(|it| format!("level {level} doesn't ask any more to pass {it:?}"))).collect()
}

fn other<T: Display + PartialEq>(level: Level, what: &str, before: T, after: T) -> Option<String> {
    (before != after).then(|| format!("level {level}: {what} {after}, not {before}"))
}

fn levels<'a>(levels: impl IntoIterator<Item = &'a Level>) -> String {
    let found: Vec<_> = levels.into_iter().map(ToString::to_string).collect();
    if found.is_empty() { "none".to_owned() } else { found.join(", ") }
}

fn joined(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
