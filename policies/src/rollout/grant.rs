//! Whether a PDP may start now. The only thing that caps count.

use super::event::Outcome;
use super::fold::Rollout;
use super::step::cap_of;
use crate::channel::Promotion;
use crate::codes::ObstacleCode;
use crate::names::{PdpId, Ring};
use crate::plan::RingPlan;
use crate::time::{At, Span};

/// How long a grant may stay unused. Asking again renews it; it never counts twice.
pub const GRANT_LIFE: Span = Span::from_seconds(3600);

/// Leave to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// A new start: append the event before answering.
    New {
        /// When it lapses unused.
        until: At,
    },
    /// It was granted before and still holds.
    Again {
        /// When it lapses unused.
        until: At,
    },
}

/// Decides on one `ready`. `members` is the size of the PDP's ring, `braked` as in [`super::step`].
///
/// # Errors
/// The code of what stands in the way.
#[expect(clippy::too_many_arguments, reason = "all that a grant depends on, and nothing else")]
pub fn grant(
    plan: &RingPlan,
    promotion: &Promotion,
    rollout: &Rollout,
    members: u32,
    pdp: &PdpId,
    ring: &Ring,
    attempt: u32,
    braked: Option<ObstacleCode>,
    now: At,
) -> Result<Grant, ObstacleCode> {
    if let Some(code) = braked {
        return Err(code);
    }
    if attempt != 1 {
        return Err(ObstacleCode::Quarantined);
    }
    let earliest = promotion.opens_at.get(ring);
    let open = rollout.rings.get(ring).filter(|_| earliest.is_some_and(|earliest| *earliest <= now));
    let (Some(progress), Some(rules)) = (open, plan.rings.iter().find(|rules| rules.name == *ring)) else {
        return Err(ObstacleCode::RingNotOpenYet);
    };
    let new = Grant::New { until: now.plus(GRANT_LIFE) };
    match rollout.starts.get(pdp) {
        Some(start) if start.outcome == Some(Outcome::Failed) => Err(ObstacleCode::Quarantined),
        Some(start) => match start.until {
            Some(until) if until > now && start.outcome.is_none() => Ok(Grant::Again { until }),
            _ => Ok(new),
        },
        None if rollout.starts_in(ring) < cap_of(rules, progress.wave, members) => Ok(new),
        None => Err(ObstacleCode::NoGrant),
    }
}
