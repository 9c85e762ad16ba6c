//! The ring plan: which rings there are, and how fast a level goes through them at each tempo.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::Ring;
use crate::time::Span;

mod chance;
mod problems;

pub use chance::Chance;

/// A share in whole percent, 0 to 100.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u8", into = "u8")]
#[schemars(with = "u8")]
pub struct Percent(u8);

impl Percent {
    /// All of them.
    pub const ALL: Self = Self(100);

    /// The share as a number from 0 to 100.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Percent {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            0..=100 => Ok(Self(number)),
            _ => Err(format!("{number} is not a share in percent (0 to 100)")),
        }
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} %", self.0)
    }
}

/// How fast a level travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Tempo {
    /// Routine.
    Normal,
    /// A serious vulnerability.
    Accelerated,
    /// It is being exploited now.
    Emergency,
}

impl std::str::FromStr for Tempo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "normal" => Ok(Self::Normal),
            "accelerated" => Ok(Self::Accelerated),
            "emergency" => Ok(Self::Emergency),
            _ => Err(format!("`{text}` is not a tempo: normal, accelerated or emergency")),
        }
    }
}

/// The plan that people sign with the channel; the server has no shares or budgets of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RingPlan {
    /// All rings, first to last.
    pub rings: Vec<RingRules>,
    /// Per tempo and ring: when it opens and how long it soaks.
    pub tempos: BTreeMap<Tempo, BTreeMap<Ring, Pace>>,
    /// What fails by chance, and how often a good level may be halted for it. None (the default): rings halt by their
    /// budgets alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance: Option<Chance>,
}

/// The rules of one ring. Shares and budgets are over *eligible* PDPs (started, healthy, failed, silent).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RingRules {
    /// The ring's name.
    pub name: Ring,
    /// Caps on starts, growing, the last one everybody.
    pub waves: Vec<Cap>,
    /// This share of the eligible must be healthy before the next wave; failures that chance explains aren't counted.
    /// Shipped: 95 %.
    pub healthy_share: Percent,
    /// No wave is judged on fewer eligible PDPs than this (or all there are). From 1; shipped: 2, 3, 5 and 3.
    pub min_sample: u32,
    /// So many of the eligible (whole percent) may fail or fall silent; one more halts the ring. Compared exactly,
    /// without rounding: halted when failures × 100 > budget × eligible. A single failure is measured against the
    /// wave as it will be when it is full, so that one sick PDP among the first few halts only what couldn't bear
    /// it anyway; where the plan has `chance`, against the whole ring. 0 bears none. Failures that were known when people
    /// resumed don't count any more. Shipped: 5 %, as a bound beside `chance`.
    pub failure_budget: Percent,
    /// Of one organization so many PDPs may fail or fall silent in this ring; one more halts the rollout for that
    /// organization. Two organizations halted so halt the ring. Shipped: 1.
    pub organization_failures: u32,
    /// So many PDPs may be in flight at once: started, neither ended nor silent. None (the default): as many as
    /// the wave allows. Shipped: 3 for canary, 6 for early, 200 for general, 50 for regulated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<Cap>,
    /// The same as a share of the ring's members, rounded up, so that a small ring doesn't start all at once; where both
    /// stand the smaller holds. A field of its own: older programs, which read `inFlight` as either, pass it over. None
    /// (the default): no share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight_share: Option<Percent>,
    /// At most one more PDP of the ring is in flight than are healthy on the level there: the first one is alone, and
    /// what breaks all of them breaks one. False: as many as wave and `inFlight` allow, from the first moment on.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub slow_start: bool,
}

fn yes() -> bool {
    true
}

/// A cap on starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Cap {
    /// Of the ring's members, rounded up.
    Percent(Percent),
    /// So many PDPs.
    Count(u32),
}

/// The pace of one ring at one tempo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pace {
    /// Earliest opening after the promotion; nobody but the signers can shorten it.
    pub opens_after: Span,
    /// How long a wave keeps its healthy share before the next one. Counted from the moment the share was first
    /// reached; joiners don't restart it. 1 s to 90 d; shipped: 15 min to 48 h.
    pub soak: Span,
    /// A PDP that started and hasn't reported for this long counts as silent, which is a failure until it is
    /// heard again. 1 s to 90 d; shipped: 15 min to 24 h.
    pub silence_after: Span,
}

/// The plan that ships with the program; each number's reason stands beside it there.
pub const DEFAULT_PLAN: &str = include_str!("../defaults/ring-plan.yaml");

impl RingPlan {
    /// The shipped plan.
    ///
    /// # Errors
    /// Never for the file that is shipped: a test reads it.
    pub fn shipped() -> Result<Self, Vec<crate::yaml::Problem>> {
        crate::yaml::read(DEFAULT_PLAN)
    }

    /// The position of a ring, first is 0.
    pub fn position(&self, ring: &Ring) -> Option<usize> {
        self.rings.iter().position(|r| r.name == *ring)
    }

    /// The pace of a ring at a tempo, none for a ring that the plan doesn't have.
    pub fn pace(&self, tempo: Tempo, ring: &Ring) -> Option<&Pace> {
        self.tempos.get(&tempo)?.get(ring)
    }

    /// The rules of a ring.
    pub fn rules(&self, ring: &Ring) -> Option<&RingRules> {
        self.rings.iter().find(|rules| rules.name == *ring)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_shipped_plan_is_whole() {
        let plan = RingPlan::shipped().unwrap();
        assert_eq!(plan.problems(), Vec::<String>::new());
        assert_eq!(plan.rings.len(), 4);
        assert_eq!(plan.tempos.len(), 3);
    }

    #[test]
    fn a_ring_that_opens_too_early_or_is_unknown_is_named() {
        let mut plan = RingPlan::shipped().unwrap();
        let paces = plan.tempos.get_mut(&Tempo::Normal).unwrap();
        let general = paces.remove(&"general".parse().unwrap()).unwrap();
        paces.insert("genral".parse().unwrap(), general);
        paces.get_mut(&"early".parse().unwrap()).unwrap().opens_after = Span::from_seconds(900 * 86_400);
        let problems = plan.problems().join("\n");
        for part in [
            "tempos.normal.general: missing",
            "tempos.normal.genral: no ring",
            "tempos.normal.regulated.opensAfter",
        ] {
            assert!(problems.contains(part), "{part} in {problems}");
        }
    }
}
