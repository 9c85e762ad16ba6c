//! Obstacles that the vendor set, in the order in which people want to read them.

use super::{Instruction, Situation};
use crate::channel::Channel;
use crate::codes::{Obstacle, ObstacleCode as Code};
use crate::hotfix::Barred;
use crate::names::Level;
use crate::present_version::PresentVersion;
use crate::release::Release;
use crate::time::At;
use crate::trust::{Catalog, Descriptor, Freshness};
use crate::version_range::VersionRange;

pub(super) fn obstacles(
    catalog: &Catalog,
    channel: &Channel,
    descriptor: &Descriptor,
    situation: &Situation<'_>,
    attempt: u32,
    now: At,
) -> Vec<Obstacle> {
    let level = descriptor.release.level;
    let found = [
        stopped(channel),
        withdrawn(channel, level),
        expired(catalog, situation, now),
        required_stop(channel, level, situation),
        hotfix(channel, level, situation),
        quarantined(descriptor, situation, attempt),
    ];
    found.into_iter().flatten().chain(unmet(&descriptor.release, situation)).collect()
}

/// The brake beats everything.
fn stopped(channel: &Channel) -> Option<Obstacle> {
    let stop = channel.stop.as_ref()?;
    Some(Obstacle::new(Code::Stopped, None, format!("the vendor stopped the channel: {}", stop.reason)))
}

fn withdrawn(channel: &Channel, level: Level) -> Option<Obstacle> {
    let withdrawal = channel.withdrawn.get(&level)?;
    let fix = withdrawal.fixed_by.map_or_else(String::new, |fix| format!("; level {fix} fixes it"));
    Some(Obstacle::new(Code::Withdrawn, None, format!("withdrawn: {}{fix}", withdrawal.reason)))
}

/// Under the customer's approval an expired catalog is shown only: the air gap lives by it.
fn expired(catalog: &Catalog, situation: &Situation<'_>, now: At) -> Option<Obstacle> {
    if matches!(situation.instruction, Instruction::Approval) {
        return None;
    }
    let Freshness::Expired(role) = catalog.freshness(now) else { return None };
    let detail = format!("`{role}` is past its expiry (signed last {})", catalog.signed_at());
    Some(Obstacle::new(Code::CatalogExpired, None, detail))
}

/// Binds upgrades only: a first installation may take the ceiling at once.
fn required_stop(channel: &Channel, level: Level, situation: &Situation<'_>) -> Option<Obstacle> {
    let own = situation.installed?.level;
    let stop = channel.required_stops.iter().find(|stop| **stop > own && **stop < level)?;
    Some(Obstacle::new(Code::RequiredStopFirst, None, format!("level {stop} must be installed first")))
}

/// A hotfix goes on its own base only, and whoever has one doesn't lose it by going on.
fn hotfix(channel: &Channel, level: Level, situation: &Situation<'_>) -> Option<Obstacle> {
    let own = situation.installed.map(|installed| installed.level);
    let detail = match (channel.barred(own, level)?, own) {
        (Barred::OtherBase(base), Some(own)) => {
            format!("it is a hotfix of level {base}; level {own} is installed")
        }
        (Barred::OtherBase(base), None) => format!("it is a hotfix of level {base}, which comes first"),
        (Barred::LosesHotfix(fix), _) => {
            format!("the hotfix of level {fix}, which is installed, isn't in it")
        }
    };
    Some(Obstacle::new(Code::RequiresUnmet, None, detail))
}

/// People may allow another attempt with the same digest; the one that failed isn't repeated.
fn quarantined(descriptor: &Descriptor, situation: &Situation<'_>, attempt: u32) -> Option<Obstacle> {
    let failed = situation.quarantined.get(&descriptor.sha256)?;
    let detail = "it failed here before and was taken back".to_owned();
    (attempt <= *failed).then(|| Obstacle::new(Code::Quarantined, None, detail))
}

fn unmet(release: &Release, situation: &Situation<'_>) -> Vec<Obstacle> {
    let requires = &release.requires;
    let mut found = Vec::new();
    let replaced =
        situation.itself.and_then(|(platform, out)| release.brings_itself(platform, out)).is_some();
    let versions = [
        ("pdp-sync", &requires.pdp_sync, (!replaced).then_some(situation.pdp_sync)),
        ("Kubernetes", &requires.kubernetes, situation.kubernetes),
        ("Flux", &requires.flux, situation.flux),
    ];
    for (what, required, present) in versions {
        found.extend(unmet_version(what, required.as_ref(), present));
    }
    let own = situation.installed.map(|installed| installed.level);
    if let (Some(from), Some(own)) = (requires.from, own)
        && own < from
    {
        let detail = format!("it needs level {from} first; level {own} is installed");
        found.push(Obstacle::new(Code::RequiresUnmet, None, detail));
    }
    found
}

/// A version that nobody can tell here (no cluster) is not an obstacle: Flux itself will say so.
fn unmet_version(
    what: &str,
    required: Option<&VersionRange>,
    present: Option<&PresentVersion>,
) -> Option<Obstacle> {
    let (required, present) = (required?, present?);
    if required.lets_in(present) {
        return None;
    }
    let detail = format!("it needs {what} {required}; {present} is here");
    Some(Obstacle::new(Code::RequiresUnmet, None, detail))
}
