//! What happens to a rollout. Events are only ever appended.

use serde::{Deserialize, Serialize};

use super::halt::{Cause, HaltScope};
use crate::names::{PdpId, Ring};
use crate::time::At;

/// One thing that happened to one rollout. Where a person acts, `by` says who and `reason` why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum RolloutEvent {
    /// The level was promoted.
    Created {},
    /// The first wave of a ring may start.
    RingOpened {
        /// Which ring.
        ring: Ring,
    },
    /// The healthy share of a wave was reached for the first time: the soak begins.
    ShareReached {
        /// Which ring.
        ring: Ring,
        /// Which wave, first is 0.
        wave: usize,
    },
    /// A wave held what it promised; the next one, or the next ring, may begin.
    WavePassed {
        /// Which ring.
        ring: Ring,
        /// Which wave, first is 0.
        wave: usize,
    },
    /// A person passes a wave that has nobody to prove it.
    Acknowledged {
        /// Which ring.
        ring: Ring,
        /// Which wave, first is 0.
        wave: usize,
        /// Who; empty in logs of old servers.
        #[serde(default)]
        by: String,
        /// Why, for the auditor.
        reason: String,
    },
    /// A PDP was granted its start; appended before the answer leaves. Again for the same attempt: renewed.
    Granted {
        /// Which PDP.
        pdp: PdpId,
        /// Its ring at that moment.
        ring: Ring,
        /// Which try of the level, from 1.
        attempt: u32,
        /// An unused grant lapses then.
        until: At,
        /// True if it was sick before: it can't fail the level.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        sick: bool,
    },
    /// A PDP reports a start that nobody granted: the channel's own door, or ring state.
    Adopted {
        /// Which PDP.
        pdp: PdpId,
        /// Its ring at that moment.
        ring: Ring,
        /// Which try of the level, from 1.
        attempt: u32,
        /// True if it was sick before: it can't fail the level.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        sick: bool,
    },
    /// How a start ended, as the PDP reports it.
    Ended {
        /// Which PDP.
        pdp: PdpId,
        /// Which try of the level, from 1.
        attempt: u32,
        /// How.
        outcome: Outcome,
    },
    /// A grant wasn't used, and its PDP said so after it had run out: its place is free again.
    Lapsed {
        /// Which PDP.
        pdp: PdpId,
        /// Which try of the level, from 1.
        attempt: u32,
    },
    /// Nothing starts in this scope any more until people resume. Nothing that runs is touched.
    Halted {
        /// What is halted.
        scope: HaltScope,
        /// Why, with the evidence.
        cause: Cause,
    },
    /// The first of two people wants a halt to end.
    ResumeAsked {
        /// What is halted.
        scope: HaltScope,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// The second of two people: the halt ends. Failures that were known by now are forgiven to the budgets.
    Resumed {
        /// What was halted.
        scope: HaltScope,
        /// Who; someone else than the one who asked.
        by: String,
        /// Why.
        reason: String,
    },
    /// A person holds the whole rollout: no ring opens, no wave passes, nothing starts. No quarantine.
    Paused {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// The pause is over.
    Continued {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// PDPs on which the level failed may start it again, the same digest, as this attempt.
    Retried {
        /// Which try it will be.
        attempt: u32,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// A PDP is left out of this rollout for good: it proves nothing, fails nothing and starts nothing.
    Skipped {
        /// Which PDP.
        pdp: PdpId,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// The soak of the current wave ends now. Share, sample, budget and earliest times stand.
    Expedited {
        /// Which ring.
        ring: Ring,
        /// Which wave, first is 0.
        wave: usize,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
}

/// How a start ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Healthy and settled.
    Healthy,
    /// Written; nobody measures health there, so it proves nothing.
    Written,
    /// It failed. Final for that attempt: healthy and then failed (flapping) is failed, and failed and then
    /// healthy stays failed.
    Failed,
}
