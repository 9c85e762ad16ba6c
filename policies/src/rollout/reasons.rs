//! Why data planes of a ring are deferred and where they failed: for people, no rule looks at it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::census::{Clock, PdpState, Row, Tally, tally_with};
use super::fold::Rollout;
use crate::channel::Promotion;
use crate::codes::{ObstacleCode, Owner};
use crate::names::{ComponentName, Level, Ring};
use crate::plan::RingPlan;
use crate::report::{ReportCode, ReportState, TargetState};
use crate::time::At;

/// So many components are named per ring, those that failed most: data planes write these names, and may lie.
const NAMED: usize = 10;

/// The reasons within one ring, as the data planes report them.
///
/// Each data plane counts at most once, so the numbers of a map never add up to more than the census has; who gave
/// no reason is the difference.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Reasons {
    /// Deferred, by the first obstacle of the customer's own in the order of the gate. Obstacles of the vendor's
    /// beside it don't make it deferred.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub deferred: BTreeMap<ObstacleCode, u32>,
    /// Failed, by component: the ten with most failures.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<ComponentName, u32>,
    /// Some of those that failed or fell silent: the first ten by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub failing: BTreeMap<String, Failing>,
}

/// How a data plane failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Failing {
    /// True if it says nothing any more.
    pub silent: bool,
    /// The component that it reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<ComponentName>,
    /// When it was heard last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard: Option<At>,
}

impl Reasons {
    fn count(&mut self, level: Level, state: PdpState, target: Option<&TargetState>) {
        let Some(target) = target.filter(|target| target.level == level) else { return };
        match state {
            PdpState::Deferred => {
                if let Some(code) = own(target) {
                    *self.deferred.entry(code).or_default() += 1;
                }
            }
            PdpState::Failed if target.state == ReportState::Failed => {
                if let Some(name) = target.component.clone() {
                    *self.failed.entry(name).or_default() += 1;
                }
            }
            _ => {}
        }
    }

    /// Remembers one that failed or fell silent, if it is among the first by name.
    fn name(&mut self, level: Level, state: PdpState, row: &Row<'_>) {
        let silent = state == PdpState::Silent;
        if !silent && state != PdpState::Failed {
            return;
        }
        let target = row.target.filter(|target| target.level == level && !silent);
        let component = target.and_then(|target| target.component.clone());
        self.failing.insert(row.pdp.to_string(), Failing { silent, component, heard: row.heard });
        if self.failing.len() > NAMED {
            self.failing.pop_last();
        }
    }

    /// Keeps the components with most failures; of equals the first by name.
    fn trim(&mut self) {
        if self.failed.len() > NAMED {
            let mut all: Vec<_> = std::mem::take(&mut self.failed).into_iter().collect();
            all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            self.failed = all.into_iter().take(NAMED).collect();
        }
    }
}

/// The first obstacle that the customer can take away.
fn own(target: &TargetState) -> Option<ObstacleCode> {
    target.codes.iter().find_map(|code| match code {
        ReportCode::Obstacle(code) if code.owner() == Owner::Customer => Some(*code),
        _ => None,
    })
}

/// Counts all rows as [`super::tally`] does, and why they stand there, in one pass.
pub fn explained<'a>(
    plan: &RingPlan,
    promotion: &Promotion,
    rollout: &Rollout,
    level: Level,
    rows: impl IntoIterator<Item = Row<'a>>,
    clock: Clock,
) -> (Tally, BTreeMap<Ring, Reasons>) {
    let mut reasons = BTreeMap::<Ring, Reasons>::new();
    let tally = tally_with(plan, promotion, rollout, level, rows, clock, |ring, state, row| {
        if matches!(state, PdpState::Deferred | PdpState::Failed | PdpState::Silent) {
            if !reasons.contains_key(ring) {
                reasons.insert(ring.clone(), Reasons::default());
            }
            if let Some(reasons) = reasons.get_mut(ring) {
                reasons.count(level, state, row.target);
                reasons.name(level, state, row);
            }
        }
    });
    reasons.values_mut().for_each(Reasons::trim);
    (tally, reasons)
}
