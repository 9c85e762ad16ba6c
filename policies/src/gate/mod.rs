//! Who gets a release, and when: walks the promoted levels from the ceiling down to the PDP's own
//! and takes the first without an obstacle. Waiting is a value, not an error.

mod after;
mod approvals;
mod customer;
mod door;
mod forecast;
mod length;
mod openings;
mod permit;
mod quorum;
mod vendor;
mod when;
mod window;
mod window_words;
mod zone_change;

pub use after::Other;
pub use door::effective_ring;
pub use forecast::{Forecast, Step};
pub(crate) use length::AT_LEAST;
pub use length::{AT_MOST as LONGEST_LENGTH, LENGTHS, usual_length};
use permit::Leave;
pub use permit::{ApprovedBy, Authority, Permit};
pub(crate) use quorum::missing_of;
pub use when::{Candidate, when};
use window::WindowStates;
pub use window::{WindowState, window_state};
pub(crate) use window::{ever_opens, open_stretches};
pub use window_words::{Beginning, WindowWords};

use std::collections::BTreeMap;

use crate::channel::{Channel, Promotion};
use crate::codes::{Obstacle, ObstacleCode, Refusal};
use crate::digest::Digest;
use crate::instruction::{Assignment, RingState};
use crate::names::{ComponentName, Level, Line, PdpId, Platform, Ring};
use crate::policy::Policy;
use crate::present_version::PresentVersion;
use crate::release::Release;
use crate::report::LevelDigest;
use crate::time::{At, Span};
use crate::trust::{Approved, Catalog, Descriptor, Uncounted, Verified};
use door::Door;

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
    /// Releases that failed here, by SHA-256 of their descriptors, with the attempt that failed last.
    pub quarantined: &'a BTreeMap<Digest, u32>,
    /// Version of this pdp-sync.
    pub pdp_sync: &'a PresentVersion,
    /// What is selected of a release where pdp-sync runs in the cluster that it updates: a pdp-sync that is too old for
    /// a level is then replaced by the one that the level brings. None where it runs elsewhere (Git target).
    pub itself: Option<(Platform, &'a [ComponentName])>,
    /// Version of Kubernetes, none if there is no cluster to ask (Git target).
    pub kubernetes: Option<&'a PresentVersion>,
    /// Version of Flux, none if there is no cluster to ask (Git target).
    pub flux: Option<&'a PresentVersion>,
    /// What the target itself saw: edits by others, suspended components.
    pub found: &'a [Obstacle],
    /// What opens levels besides the channel's own door.
    pub instruction: Instruction<'a>,
    /// The customer's valid approvals and rejections.
    pub approvals: &'a [Verified<Approved>],
    /// The approvals that don't count, with the reasons.
    pub uncounted: &'a [Uncounted],
    /// What was heard of the data planes that the policy goes after.
    pub others: &'a [Other],
    /// How long levels usually take here, none as long as none was done.
    pub usual_length: Option<Span>,
    /// The policy that was seen before, none at first: what it held was in force.
    pub policy_before: Option<&'a Policy>,
}

/// What opens levels besides the channel's own door. None where nothing valid has been heard.
#[derive(Debug, Clone, Copy)]
pub enum Instruction<'a> {
    /// Nothing: the channel alone.
    Channel,
    /// The server's word to this PDP.
    Server(Option<&'a Verified<Assignment>>),
    /// The director's word to the ring.
    RingState(Option<&'a Verified<RingState>>),
    /// The customer's approvals alone, as the policy's rule counts them.
    Approval,
}

/// What the gate says.
#[derive(Debug)]
pub enum Verdict {
    /// Nothing above the installed level is promoted and meant for this PDP.
    UpToDate,
    /// This level may start now.
    Proceed(Box<Permit>),
    /// Everything is open but the server's grant: ask for it with `ready`.
    NeedsGrant(Waiting),
    /// Not yet; it will go on by itself at that time.
    WaitUntil(At, Waiting),
    /// Only people can go on: approval by the customer.
    NeedsApproval(Waiting),
    /// Only people can go on.
    Held(Waiting),
}

impl Verdict {
    /// The level that waits, if one does.
    pub fn waiting(&self) -> Option<&Waiting> {
        match self {
            Self::NeedsGrant(waiting)
            | Self::WaitUntil(_, waiting)
            | Self::NeedsApproval(waiting)
            | Self::Held(waiting) => Some(waiting),
            Self::UpToDate | Self::Proceed(_) => None,
        }
    }
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
    /// When it can start.
    pub forecast: Forecast,
}

/// Decides for one pass. `now` is the PDP's clock.
///
/// # Errors
/// When a candidate's documents contradict each other: a refusal, nothing may start on such a catalog.
pub fn decide(
    catalog: &Verified<Catalog>,
    policy: &Policy,
    situation: &Situation<'_>,
    now: At,
) -> Result<Verdict, Refusal> {
    let Some(look) = Look::new(catalog, policy, situation, now) else { return Ok(Verdict::UpToDate) };
    let ceiling = ceiling(situation);
    let mut shown: Option<Waiting> = None;
    for (level, promotion) in look.candidates() {
        let descriptor = catalog.release(situation.line, level)?;
        let obstacles = match look.judge(promotion, &descriptor, now) {
            Ok(leave) => return Ok(Verdict::Proceed(Box::new(Permit::new(descriptor, leave)))),
            Err(obstacles) => obstacles,
        };
        let needs_grant = obstacles.iter().all(|o| o.code == ObstacleCode::NoGrant);
        // The highest, but what the instruction opened says more than what it didn't.
        let says_more = |above: &Waiting| Some(above.level) > ceiling && Some(level) <= ceiling;
        if needs_grant || shown.as_ref().is_none_or(says_more) {
            let (forecast, _) = look.forecast(promotion, &descriptor, &obstacles, now);
            shown = Some(Waiting { level, sha256: descriptor.sha256, obstacles, forecast });
        }
        if needs_grant {
            return Ok(shown.map_or(Verdict::UpToDate, Verdict::NeedsGrant));
        }
    }
    Ok(shown.map_or(Verdict::UpToDate, verdict))
}

/// What of the policy protects nothing, or can never be met, holds every level until a person has looked.
fn slips(policy: &Policy, channel: &Channel, situation: &Situation<'_>, now: At) -> Vec<Obstacle> {
    let installed = situation.installed.map(|installed| installed.level);
    let mut problems = policy.ineffective_in(channel, installed, situation.policy_before, now);
    let itself = policy.after.iter().position(|after| after.data_plane == situation.pdp.data_plane);
    problems.extend(
        itself.map(|n| format!("after[{n}] names this data plane: it would wait for itself for ever")),
    );
    problems.into_iter().map(|it| Obstacle::new(ObstacleCode::PolicyIneffective, None, it)).collect()
}

/// The ceiling of a valid assignment.
fn ceiling(situation: &Situation<'_>) -> Option<Level> {
    let Instruction::Server(Some(assignment)) = situation.instruction else { return None };
    assignment.ceiling.as_ref().filter(|ceiling| ceiling.line == *situation.line).map(|c| c.level)
}

/// Everything that all candidates are judged by.
struct Look<'a> {
    catalog: &'a Catalog,
    channel: &'a Channel,
    policy: &'a Policy,
    situation: &'a Situation<'a>,
    /// What is wrong with the policy itself.
    slips: Vec<Obstacle>,
    windows: WindowStates<'a>,
    /// The time of the decision; a forecast asks for later ones.
    now: At,
}

impl<'a> Look<'a> {
    /// None if the catalog doesn't know the line.
    fn new(catalog: &'a Catalog, policy: &'a Policy, situation: &'a Situation<'a>, now: At) -> Option<Self> {
        let channel = catalog.channel(situation.line)?;
        let slips = slips(policy, channel, situation, now);
        let windows = WindowStates::of(&policy.windows);
        Some(Self { catalog, channel, policy, situation, slips, windows, now })
    }

    /// The promoted levels above the installed one that are meant for this PDP, highest first.
    fn candidates(&self) -> impl Iterator<Item = (Level, &'a Promotion)> {
        let Situation { installed, pdp, .. } = *self.situation;
        let own = installed.map(|installed| installed.level);
        let above = self.channel.levels.iter().rev().take_while(move |(level, _)| Some(**level) > own);
        above
            .filter(|(_, promotion)| promotion.is_for(&pdp.organization))
            .map(|(level, promotion)| (*level, promotion))
    }

    /// When a level can start that has `today` in its way, and the steps on the way there.
    fn forecast(
        &self,
        promotion: &Promotion,
        descriptor: &Descriptor,
        today: &[Obstacle],
        now: At,
    ) -> (Forecast, Vec<Step>) {
        let obstacles_at = |at| self.judge(promotion, descriptor, at).err().unwrap_or_default();
        forecast::forecast(today, obstacles_at, descriptor.release.deadline(), now)
    }

    /// One level: why it may start, or all obstacles in its way.
    fn judge(&self, promotion: &Promotion, descriptor: &Descriptor, now: At) -> Result<Leave, Vec<Obstacle>> {
        let Self { catalog, channel, policy, situation, slips, windows, .. } = self;
        let release: &Release = &descriptor.release;
        let ring = effective_ring(&channel.plan, situation.ring, situation.instruction);
        let passes = customer::overrides(policy, promotion, release);
        let channels = catalog.versions().channels;
        let door = Door { promotion, descriptor, situation, ring, channels, passes: passes.clone(), now };
        let opened = door.open();
        let approved = approvals::approved(policy, channel, situation, release.level, &descriptor.sha256);
        let attempt = opened.as_ref().map_or_else(|_| door.attempt(), Authority::attempt);
        let mut obstacles = vendor::obstacles(catalog, channel, descriptor, situation, attempt, now);
        obstacles.extend(opened.as_ref().err().into_iter().flatten().cloned());
        let needed = length::of(release, situation.usual_length);
        obstacles.extend(customer::obstacles(policy, promotion, release, &passes, windows, needed, now));
        obstacles.extend(after::obstacles(&policy.after, situation, &descriptor.sha256, (now, self.now)));
        obstacles.extend(approved.as_ref().err().cloned());
        obstacles.extend(situation.found.iter().chain(slips).cloned());
        if obstacles.iter().any(|o| o.code != ObstacleCode::NoGrant) {
            // A start is asked for last: what stands in the way before is the reason.
            obstacles.retain(|o| o.code != ObstacleCode::NoGrant);
        }
        match (opened, approved) {
            (Ok(Authority::Approval { .. }), Ok(approved_by))
                if obstacles.is_empty() && !approved_by.is_empty() =>
            {
                let approvers = approved_by.iter().map(|by| by.key.clone()).collect();
                Ok(Leave { authority: Authority::Approval { approvers }, approved_by })
            }
            (Ok(Authority::Approval { .. }), Ok(_)) if obstacles.is_empty() => {
                let detail = "the policy names no approvers";
                Err(vec![Obstacle::new(ObstacleCode::AwaitingApproval, None, detail)])
            }
            (Ok(authority), Ok(approved_by)) if obstacles.is_empty() => Ok(Leave { authority, approved_by }),
            _ => Err(obstacles),
        }
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
