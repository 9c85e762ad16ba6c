//! Obstacles that the customer set. They win always; what a release may pass, the policy said beforehand.

use std::collections::BTreeSet;

use super::window::{WindowState, WindowStates};
use crate::channel::{Overridable, Promotion};
use crate::codes::{Obstacle, ObstacleCode as Code};
use crate::policy::{Freeze, Pin, PinTarget, Policy};
use crate::release::{Release, ReleaseKind};
use crate::time::{At, Span};

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
    needed: Span,
    now: At,
) -> Vec<Obstacle> {
    let bound_by = |what: Overridable| !passes.contains(&what);
    let mut found = Vec::new();
    found.extend(policy.pin.as_ref().and_then(|pin| pinned(pin, release, now)));
    found.extend(policy.hold.as_ref().map(|hold| {
        Obstacle::new(Code::Frozen, None, format!("held by a person: {}", crate::printable(&hold.reason)))
    }));
    if bound_by(Overridable::Freeze) {
        found.extend(frozen(policy, needed, now));
    }
    if bound_by(Overridable::Window) {
        found.extend(outside_window(windows, needed, now));
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

/// A freeze that is in force, or that begins before the level would be done.
fn frozen(policy: &Policy, needed: Span, now: At) -> Option<Obstacle> {
    let done = now.plus(needed);
    let meets = |freeze: &&Freeze| freeze.from < done && now < freeze.until;
    let freeze = policy.freezes.iter().filter(meets).max_by_key(|freeze| freeze.until)?;
    let reason = crate::printable(&freeze.reason);
    let detail = match freeze.from <= now {
        true => format!("frozen: {reason}"),
        false => format!("frozen from {}, and a level takes about {needed}: {reason}", freeze.from),
    };
    Some(Obstacle::new(Code::Frozen, Some(freeze.until), detail))
}

fn outside_window(windows: &WindowStates<'_>, needed: Span, now: At) -> Option<Obstacle> {
    match windows.at(now, needed) {
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
