//! All that can be wrong with a plan, each with the path where it stands.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cap, Pace, Percent, RingPlan, RingRules, Tempo};
use crate::names::Ring;
use crate::time::Span;

/// Longer soaks and silences, later openings are slips of the pen: no release lives that long.
const LONGEST: Span = Span::from_seconds(90 * 86_400);
/// More rings or waves than anybody could follow.
const MOST: usize = 100;

impl RingPlan {
    /// All that is wrong with the plan: path and cause.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.rings.is_empty() {
            problems.push("rings: there is none".to_owned());
        }
        if self.rings.len() > MOST {
            // What else is wrong with thousands of them helps nobody.
            return vec![format!("rings: {} are more than {MOST}", self.rings.len())];
        }
        let mut names = BTreeSet::new();
        for (n, rules) in self.rings.iter().enumerate() {
            if !names.insert(&rules.name) {
                problems.push(format!("rings.{n}.name: `{}` stands there twice", rules.name));
            }
            problems.extend(rules.problems().into_iter().map(|problem| format!("rings.{n}.{problem}")));
        }
        if self.tempos.is_empty() {
            problems.push("tempos: there is none".to_owned());
        }
        for (tempo, paces) in &self.tempos {
            let found = self.pace_problems(paces);
            problems.extend(found.into_iter().map(|problem| format!("tempos.{}.{problem}", tempo.as_str())));
        }
        problems.extend(self.chance.into_iter().flat_map(super::Chance::problems));
        problems
    }

    fn pace_problems(&self, paces: &BTreeMap<Ring, Pace>) -> Vec<String> {
        let mut problems = Vec::new();
        let mut before = Span::default();
        for ring in self.rings.iter().map(|rules| &rules.name) {
            let Some(pace) = paces.get(ring) else {
                problems.push(format!("{ring}: missing"));
                continue;
            };
            if pace.opens_after < before {
                problems.push(format!("{ring}.opensAfter: {} is before an earlier ring's", pace.opens_after));
            }
            if pace.opens_after > LONGEST {
                problems.push(format!("{ring}.opensAfter: {} is more than {LONGEST}", pace.opens_after));
            }
            before = before.max(pace.opens_after);
            for (field, span) in [("soak", pace.soak), ("silenceAfter", pace.silence_after)] {
                if span == Span::default() || span > LONGEST {
                    problems.push(format!("{ring}.{field}: {span} is not within 1s and {LONGEST}"));
                }
            }
        }
        let unknown = paces.keys().filter(|name| self.position(name).is_none());
        problems.extend(unknown.map(|name| format!("{name}: no ring of the plan")));
        problems
    }
}

impl RingRules {
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.waves.last() != Some(&Cap::Percent(Percent::ALL)) {
            problems.push("waves: the last one must be percent: 100".to_owned());
        }
        if self.waves.len() > MOST {
            return vec![format!("waves: {} are more than {MOST}", self.waves.len())];
        }
        for (n, wave) in self.waves.iter().enumerate() {
            if wave.is_nothing() {
                problems.push(format!("waves.{n}: {wave} starts nobody"));
            }
        }
        for (n, pair) in self.waves.windows(2).enumerate() {
            if let [before, wave] = pair
                && !wave.is_after(*before)
            {
                problems.push(format!("waves.{}: {wave} isn't more than {before}", n + 1));
            }
        }
        if self.min_sample == 0 {
            problems.push("minSample: 0 would prove a wave by nobody".to_owned());
        }
        if self.healthy_share == Percent::default() {
            problems.push("healthyShare: 0 % would pass a wave in which nothing is healthy".to_owned());
        }
        if self.failure_budget == Percent::ALL {
            problems.push("failureBudget: 100 % would never halt".to_owned());
        }
        let (share, budget) = (self.healthy_share, self.failure_budget);
        if u16::from(share.get()) + u16::from(budget.get()) > 100 {
            problems.push(format!(
                "failureBudget: {budget} and healthyShare {share} are more than all: a wave could neither pass nor halt"
            ));
        }
        if self.in_flight.is_some_and(Cap::is_nothing) {
            problems.push("inFlight: 0 starts nobody".to_owned());
        }
        if self.in_flight_share == Some(Percent::default()) {
            problems.push("inFlightShare: 0 % starts nobody".to_owned());
        }
        problems
    }
}

impl Cap {
    fn is_nothing(self) -> bool {
        matches!(self, Self::Count(0)) || self == Self::Percent(Percent::default())
    }

    /// Heads come before percents: how many a percent is depends on the ring, and it must never be fewer.
    fn is_after(self, before: Self) -> bool {
        match (before, self) {
            (Self::Count(before), Self::Count(this)) => this > before,
            (Self::Percent(before), Self::Percent(this)) => this > before,
            (Self::Count(_), Self::Percent(_)) => true,
            (Self::Percent(_), Self::Count(_)) => false,
        }
    }
}

impl std::fmt::Display for Cap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent}"),
            Self::Count(count) => write!(f, "count {count}"),
        }
    }
}

impl Tempo {
    /// Its name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Accelerated => "accelerated",
            Self::Emergency => "emergency",
        }
    }
}
