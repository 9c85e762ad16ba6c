//! The ring plan: which rings there are, and how fast a level goes through them at each tempo.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::Ring;
use crate::time::Span;

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
}

/// The rules of one ring. Shares and budgets are over *eligible* PDPs (started, healthy, failed, silent).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RingRules {
    /// The ring's name.
    pub name: Ring,
    /// Caps on starts, growing, the last one everybody.
    pub waves: Vec<Cap>,
    /// This share of the eligible must be healthy before the next wave.
    pub healthy_share: Percent,
    /// No wave is judged on fewer eligible PDPs than this (or all there are).
    pub min_sample: u32,
    /// So many of the eligible may fail or fall silent; one more halts the ring.
    pub failure_budget: Percent,
    /// Of one organization so many PDPs may fail; one more halts the ring for it.
    pub organization_failures: u32,
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
    /// Counted from the moment the healthy share was first reached; joiners don't restart it.
    pub soak: Span,
    /// A PDP that started and hasn't reported for this long counts as silent.
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

    /// All that is wrong with the plan, in words.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.rings.is_empty() {
            problems.push("the plan has no ring".to_owned());
        }
        for (n, ring) in self.rings.iter().enumerate() {
            if self.rings[..n].iter().any(|r| r.name == ring.name) {
                problems.push(format!("ring `{}` stands there twice", ring.name));
            }
            if ring.waves.last() != Some(&Cap::Percent(Percent::ALL)) {
                problems.push(format!("ring `{}`: the last wave must be percent: 100", ring.name));
            }
        }
        for (tempo, paces) in &self.tempos {
            problems.extend(self.pace_problems(*tempo, paces));
        }
        problems
    }

    fn pace_problems(&self, tempo: Tempo, paces: &BTreeMap<Ring, Pace>) -> Vec<String> {
        let mut problems = Vec::new();
        let mut before = Span::default();
        for ring in &self.rings {
            match paces.get(&ring.name) {
                None => problems.push(format!("tempo {tempo:?} says nothing of ring `{}`", ring.name)),
                Some(pace) if pace.opens_after < before => {
                    problems.push(format!("tempo {tempo:?}: `{}` opens before an earlier ring", ring.name));
                }
                Some(pace) => before = pace.opens_after,
            }
        }
        let unknown = paces.keys().filter(|name| self.position(name).is_none());
        problems.extend(unknown.map(|name| format!("tempo {tempo:?} names the unknown ring `{name}`")));
        problems
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
        for part in ["nothing of ring `general`", "unknown ring `genral`", "`regulated` opens before"] {
            assert!(problems.contains(part), "{part} in {problems}");
        }
    }
}
