//! Obstacles that the customer set. They win always; what a release may pass, the policy said beforehand.

use std::collections::BTreeSet;

use super::window::{WindowState, WindowStates};
use crate::channel::{Overridable, Promotion};
use crate::codes::{Obstacle, ObstacleCode as Code};
use crate::policy::{Pin, PinTarget, Policy};
use crate::release::{Release, ReleaseKind};
use crate::time::At;

/// What this release may pass: asked for by the vendor *and* allowed by the customer's policy.
pub(super) fn overrides(policy: &Policy, promotion: &Promotion, release: &Release) -> BTreeSet<Overridable> {
    let exploited = release.advisories.iter().any(|a| a.known_exploited);
    let allowed = policy
        .overrides
        .iter()
        .filter(|rule| release.severity() >= Some(rule.at_least) && (exploited || !rule.known_exploited))
        .flat_map(|rule| &rule.pass);
    allowed.filter(|what| promotion.asks_override.contains(what)).copied().collect()
}

pub(super) fn obstacles(
    policy: &Policy,
    promotion: &Promotion,
    release: &Release,
    passes: &BTreeSet<Overridable>,
    windows: &WindowStates<'_>,
    now: At,
) -> Vec<Obstacle> {
    let bound_by = |what: Overridable| !passes.contains(&what);
    let mut found = Vec::new();
    found.extend(policy.pin.as_ref().and_then(|pin| pinned(pin, release, now)));
    found.extend(policy.hold.as_ref().map(|hold| {
        Obstacle::new(Code::Frozen, None, format!("held by a person: {}", crate::printable(&hold.reason)))
    }));
    if bound_by(Overridable::Freeze) {
        found.extend(frozen(policy, now));
    }
    if bound_by(Overridable::Window) {
        found.extend(outside_window(windows, now));
    }
    if bound_by(Overridable::MinimumAge) {
        found.extend(too_young(policy, promotion, release, now));
    }
    found
}

fn pinned(pin: &Pin, release: &Release, now: At) -> Option<Obstacle> {
    let target = match &pin.to {
        PinTarget::Level(level) if release.level > *level => format!("level {level}"),
        PinTarget::SecurityOnly {} if release.kind == ReleaseKind::Update => "security releases".to_owned(),
        PinTarget::Level(_) | PinTarget::SecurityOnly {} => return None,
    };
    let detail = format!("pinned to {target}: {}", crate::printable(&pin.reason));
    (now < pin.expires).then(|| Obstacle::new(Code::Pinned, Some(pin.expires), detail))
}

fn frozen(policy: &Policy, now: At) -> Option<Obstacle> {
    let freeze = policy.freezes.iter().filter(|f| f.from <= now && now < f.until).max_by_key(|f| f.until)?;
    Some(Obstacle::new(
        Code::Frozen,
        Some(freeze.until),
        format!("frozen: {}", crate::printable(&freeze.reason)),
    ))
}

fn outside_window(windows: &WindowStates<'_>, now: At) -> Option<Obstacle> {
    match windows.at(now) {
        WindowState::Open => None,
        WindowState::Closed { next, why } => Some(Obstacle::new(Code::OutsideWindow, next, why)),
    }
}

fn too_young(policy: &Policy, promotion: &Promotion, release: &Release, now: At) -> Option<Obstacle> {
    let rule = policy.minimum_age.as_ref()?;
    let severe = rule.severe.as_ref().filter(|severe| release.severity() >= Some(severe.at_least));
    let age = severe.map_or(rule.age, |severe| severe.age);
    let ripe = promotion.promoted_at.plus(age);
    (now < ripe).then(|| Obstacle::new(Code::TooYoung, Some(ripe), format!("younger than {age}")))
}
