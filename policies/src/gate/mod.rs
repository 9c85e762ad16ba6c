//! Who gets a release, and when: walks the promoted levels from the ceiling down to the PDP's own
//! and takes the first without an obstacle. Waiting is a value, not an error.

mod customer;
mod permit;
mod vendor;
mod window;

pub use permit::{Authority, Permit};
pub use window::{WindowState, window_state};

use std::collections::BTreeSet;

use crate::channel::{Channel, Promotion};
use crate::codes::{Obstacle, Refusal};
use crate::digest::Digest;
use crate::names::{Level, Line, PdpId, Ring};
use crate::policy::Policy;
use crate::release::Release;
use crate::report::LevelDigest;
use crate::time::At;
use crate::trust::{Catalog, Descriptor, Verified};

/// What the gate has to know of the PDP itself.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// Which PDP.
    pub pdp: &'a PdpId,
    /// Its line.
    pub line: &'a Line,
    /// Its effective ring.
    pub ring: &'a Ring,
    /// The last good level, none before the first installation.
    pub installed: Option<LevelDigest>,
    /// Releases that failed here, by SHA-256 of their descriptors.
    pub quarantined: &'a BTreeSet<Digest>,
    /// Version of this pdp-sync.
    pub pdp_sync: &'a semver::Version,
    /// Version of Kubernetes, none if there is no cluster to ask (Git target).
    pub kubernetes: Option<&'a semver::Version>,
    /// Version of Flux, none if there is no cluster to ask (Git target).
    pub flux: Option<&'a semver::Version>,
    /// What the target itself saw: edits by others, suspended components.
    pub found: &'a [Obstacle],
}

/// What the gate says.
#[derive(Debug)]
pub enum Verdict {
    /// Nothing above the installed level is promoted and meant for this PDP.
    UpToDate,
    /// This level may start now.
    Proceed(Box<Permit>),
    /// Not yet; it will go on by itself at that time.
    WaitUntil(At, Waiting),
    /// Only people can go on: approval by the customer.
    NeedsApproval(Waiting),
    /// Only people can go on.
    Held(Waiting),
}

/// The highest candidate and all that stands in its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The level.
    pub level: Level,
    /// SHA-256 of its descriptor.
    pub sha256: Digest,
    /// At least one.
    pub obstacles: Vec<Obstacle>,
}

/// Decides for one pass. `now` is the PDP's clock.
///
/// The instruction here is the channel's own `openTo`.
///
/// # Errors
/// When a candidate's documents contradict each other: a refusal, nothing may start on such a catalog.
pub fn decide(
    catalog: &Verified<Catalog>,
    policy: &Policy,
    situation: &Situation<'_>,
    now: At,
) -> Result<Verdict, Refusal> {
    let Some(channel) = catalog.channel(situation.line) else { return Ok(Verdict::UpToDate) };
    let mut highest = None;
    for (level, promotion) in candidates(channel, situation) {
        let descriptor = catalog.release(situation.line, level)?;
        let judged = judge(catalog, channel, promotion, &descriptor, policy, situation, now);
        match judged {
            Ok(authority) => return Ok(Verdict::Proceed(Box::new(Permit::new(descriptor, authority)))),
            Err(obstacles) if highest.is_none() => {
                highest = Some(Waiting { level, sha256: descriptor.sha256, obstacles });
            }
            Err(_) => {}
        }
    }
    Ok(highest.map_or(Verdict::UpToDate, verdict))
}

/// The promoted levels above the installed one, highest first.
fn candidates<'a>(
    channel: &'a Channel,
    situation: &Situation<'_>,
) -> impl Iterator<Item = (Level, &'a Promotion)> {
    let own = situation.installed.map(|installed| installed.level);
    channel.levels.iter().rev().map(|(level, p)| (*level, p)).take_while(move |(level, _)| Some(*level) > own)
}

/// One level: the authority under which it may start, or all obstacles in its way.
fn judge(
    catalog: &Catalog,
    channel: &Channel,
    promotion: &Promotion,
    descriptor: &Descriptor,
    policy: &Policy,
    situation: &Situation<'_>,
    now: At,
) -> Result<Authority, Vec<Obstacle>> {
    let release: &Release = &descriptor.release;
    let mut obstacles = vendor::obstacles(catalog, channel, promotion, descriptor, situation, now);
    let passes = customer::overrides(policy, promotion, release);
    obstacles.extend(customer::obstacles(policy, promotion, release, &passes, now));
    obstacles.extend(situation.found.iter().cloned());
    match promotion.open_to.get(situation.ring) {
        Some(percent) if obstacles.is_empty() => Ok(Authority::OpenTo {
            ring: situation.ring.clone(),
            percent: *percent,
            channels: catalog.versions().channels,
            passed: passes,
        }),
        _ => Err(obstacles),
    }
}

/// Turns the obstacles of the highest candidate into a verdict.
fn verdict(waiting: Waiting) -> Verdict {
    use crate::codes::ObstacleCode::AwaitingApproval;
    if waiting.obstacles.iter().all(|o| o.code == AwaitingApproval) {
        return Verdict::NeedsApproval(waiting);
    }
    let times: Option<Vec<At>> = waiting.obstacles.iter().map(|o| o.next).collect();
    match times.and_then(|times| times.into_iter().max()) {
        Some(at) => Verdict::WaitUntil(at, waiting),
        None => Verdict::Held(waiting),
    }
}
