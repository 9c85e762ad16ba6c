//! What can be halted, and why it was.

use serde::{Deserialize, Serialize};

use crate::names::{Organization, Ring};
use crate::plan::Percent;
use crate::time::At;

/// What a halt covers, within one rollout.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum HaltScope {
    /// One ring. Later rings don't open and pass no wave meanwhile; a later ring that is open keeps to its
    /// own budget.
    Ring {
        /// Which ring.
        ring: Ring,
    },
    /// All rings.
    Rollout {},
    /// One organization, in whichever ring its data planes are.
    Organization {
        /// Which organization.
        organization: Organization,
    },
}

/// Why something was halted, with the counts of that moment as evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Cause {
    /// The ring's failure budget is used up.
    FailureBudget {
        /// Failed and silent PDPs that nobody has forgiven.
        failures: u32,
        /// Those who started.
        eligible: u32,
        /// What the plan allows.
        budget: Percent,
        /// Where the budget bears them: so many of a thousand fail by chance, and these are more than that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chance: Option<u16>,
    },
    /// More PDPs of one organization failed than the plan allows.
    OrganizationFailures {
        /// In which ring.
        ring: Ring,
        /// Failed and silent PDPs of the organization that nobody has forgiven.
        failures: u32,
        /// How many the plan allows.
        allowed: u32,
    },
    /// Two or more organizations of the ring were halted by their failures: it isn't them.
    Organizations {
        /// How many.
        halted: u32,
    },
    /// A person.
    Person {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
}

/// In words, why a ring's failures are too many; see [`Cause::FailureBudget`].
pub fn too_many(failures: u32, eligible: u32, budget: Percent, chance: Option<u16>) -> String {
    let failed = format!("{failures} of {eligible} failed or fell silent");
    match chance {
        Some(chance) => format!("{failed}, more than the {chance} in a thousand that fail by chance"),
        None => format!("{failed}, the budget is {budget}"),
    }
}

/// A halt that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halt {
    /// Since when.
    pub at: At,
    /// The number of its event within the rollout.
    pub event: u64,
    /// Why.
    pub cause: Cause,
    /// Who asked to resume first; it takes a second person.
    pub resume_asked: Option<String>,
}

/// The moment of a resume: what had failed or fallen silent by then is forgiven to the budgets.
///
/// Counted by data plane, not by number: if a forgiven one recovers, no new failure takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Baseline {
    /// The number of its event within the rollout: exact for failures, which are events too.
    pub event: u64,
    /// When: silence is no event.
    pub at: At,
}

/// A pause: people hold the rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Since when.
    pub at: At,
    /// Who paused it first.
    pub by: String,
    /// Why, in their words.
    pub reason: String,
}
