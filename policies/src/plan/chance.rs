//! What fails at any level, and how sure a ring has to be before it halts a level that may be good.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Percent;

/// A bare share halts small samples for nothing and lets large ones pass: one of 75 is more than 1 %, and may be a disk
/// that was full. With this a ring halts once its failures are more than chance makes of a good level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Chance {
    /// Of a thousand data planes so many fail at any level, by something else than the level. 1 to 100; shipped: 3.
    pub failures_per_mille: u16,
    /// Where no more than these fail by chance, at most this share of good levels is halted, however often one looks.
    /// 1 to 50 %; shipped: 10 %, of which replays use up a third.
    pub halts_in_vain: Percent,
}

/// As people read it before they sign.
impl std::fmt::Display for Chance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { failures_per_mille, halts_in_vain } = self;
        write!(f, "{failures_per_mille} in 1,000 (at most {halts_in_vain} of good levels halt)")
    }
}

impl Chance {
    pub(super) fn problems(self) -> Vec<String> {
        let mut problems = Vec::new();
        if !(1..=100).contains(&self.failures_per_mille) {
            problems.push(format!(
                "chance.failuresPerMille: {} is not within 1 and 100",
                self.failures_per_mille
            ));
        }
        if !(1..=50).contains(&self.halts_in_vain.get()) {
            problems.push(format!("chance.haltsInVain: {} is not within 1 % and 50 %", self.halts_in_vain));
        }
        problems
    }
}
