//! What happens to a rollout. Events are only ever appended.

use serde::{Deserialize, Serialize};

use crate::names::{PdpId, Ring};
use crate::time::At;

/// One thing that happened to one rollout.
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
    },
    /// A PDP reports a start that nobody granted: the channel's own door, or ring state.
    Adopted {
        /// Which PDP.
        pdp: PdpId,
        /// Its ring at that moment.
        ring: Ring,
        /// Which try of the level, from 1.
        attempt: u32,
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
}

/// How a start ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Healthy and settled.
    Healthy,
    /// Written; nobody measures health there, so it proves nothing.
    Written,
    /// It failed.
    Failed,
}
