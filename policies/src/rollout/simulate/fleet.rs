//! The fleet of a simulation, as people describe it.

use serde::{Deserialize, Serialize};

use crate::names::Ring;
use crate::plan::{Percent, RingPlan};
use crate::time::Span;

/// More data planes than this aren't simulated.
pub const MAX_DATA_PLANES: u32 = 100_000;

/// A fleet: who is in which ring, and how data planes behave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fleet {
    /// How often a data plane polls and reports. 1 s to 1 d; default 1 min, what the channel server asks for.
    #[serde(default = "poll_every")]
    pub poll_every: Span,
    /// How long it takes from the start until a level is healthy and settled, or has failed.
    pub upgrade: Between,
    /// Who is in which ring.
    pub rings: Vec<Crowd>,
}

/// A length of time that differs from one data plane to the next: evenly spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Between {
    /// The shortest.
    pub least: Span,
    /// The longest.
    pub most: Span,
}

/// The data planes of one ring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Crowd {
    /// The ring.
    pub name: Ring,
    /// How many organizations.
    pub organizations: u32,
    /// How many data planes each of them has; default 1.
    #[serde(default = "one")]
    pub data_planes: u32,
    /// This share of the data planes never reports; default 0.
    #[serde(default)]
    pub offline: Percent,
    /// This share of the data planes asks and starts, but never reports (`reports: none`); default 0.
    #[serde(default)]
    pub mute: Percent,
    /// Maintenance windows of some of them; default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<Windows>,
}

/// Maintenance windows: outside of them a data plane is deferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Windows {
    /// This share of the data planes has windows, each at its own time.
    pub share: Percent,
    /// One window in each period of this length.
    pub every: Span,
    /// How long a window is open.
    pub open: Span,
}

fn poll_every() -> Span {
    Span::from_seconds(60)
}

fn one() -> u32 {
    1
}

impl Fleet {
    /// How many data planes it has.
    pub fn data_planes(&self) -> u32 {
        self.rings.iter().fold(0, |sum, crowd| sum.saturating_add(crowd.members()))
    }

    /// All that is wrong with it: path and cause.
    pub fn problems(&self, plan: &RingPlan) -> Vec<String> {
        let mut problems = Vec::new();
        if self.poll_every == Span::default() || self.poll_every > Span::from_seconds(86_400) {
            problems.push(format!("pollEvery: {} is not within 1s and 1d", self.poll_every));
        }
        // Who asks more rarely may never ask while a window is open, and would be waited for without end.
        let shortest = self.rings.iter().filter_map(|crowd| crowd.windows).map(|windows| windows.open).min();
        if let Some(open) = shortest.filter(|open| *open < self.poll_every) {
            problems.push(format!("pollEvery: {} is longer than a window is open, {open}", self.poll_every));
        }
        if self.upgrade.least > self.upgrade.most {
            problems.push(format!("upgrade: {} is more than {}", self.upgrade.least, self.upgrade.most));
        }
        if self.upgrade.most > Span::from_seconds(30 * 86_400) {
            problems.push(format!("upgrade.most: {} is more than 30d", self.upgrade.most));
        }
        for (n, crowd) in self.rings.iter().enumerate() {
            let found = crowd.problems(plan, self.rings.get(..n).unwrap_or_default());
            problems.extend(found.into_iter().map(|problem| format!("rings.{n}.{problem}")));
        }
        match self.data_planes() {
            0 => problems.push("rings: the fleet has no data plane".to_owned()),
            1..=MAX_DATA_PLANES => {}
            _ => problems.push(format!("rings: more than {MAX_DATA_PLANES} data planes")),
        }
        problems
    }
}

impl Crowd {
    /// How many data planes it has.
    pub fn members(&self) -> u32 {
        self.organizations.saturating_mul(self.data_planes)
    }

    fn problems(&self, plan: &RingPlan, before: &[Self]) -> Vec<String> {
        let mut problems = Vec::new();
        if plan.position(&self.name).is_none() {
            problems.push(format!("name: the plan has no ring `{}`", self.name));
        }
        if before.iter().any(|crowd| crowd.name == self.name) {
            problems.push(format!("name: `{}` stands there twice", self.name));
        }
        if self.members() == 0 {
            problems.push("organizations: nobody is in it; leave the ring out".to_owned());
        }
        if let Some(windows) = self.windows {
            if windows.open == Span::default() || windows.open > windows.every {
                problems
                    .push(format!("windows.open: {} is not within 1s and {}", windows.open, windows.every));
            }
            if windows.every > Span::from_seconds(366 * 86_400) {
                problems.push(format!("windows.every: {} is more than 366d", windows.every));
            }
        }
        problems
    }
}
