//! A scenario as a file: a fleet, a level, and the table that comes out.

use serde::Deserialize;

use super::{Fleet, PerMille, REACTION, Simulation, Trial, simulate, table};
use crate::names::BadName;
use crate::plan::{RingPlan, Tempo};
use crate::time::Span;
use crate::yaml::{self, Problem};

/// What stands between scenario and expected table.
const LINE: &str = "\n---\n";

/// What is played.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scenario {
    /// The fleet.
    pub fleet: Fleet,
    /// What the level does; default nothing bad.
    #[serde(default)]
    pub level: LevelDoes,
    /// What fails without its doing; default nothing.
    #[serde(default)]
    pub others: Others,
    /// How fast it travels; default normal.
    #[serde(default = "normal")]
    pub tempo: Tempo,
    /// Default 1.
    #[serde(default = "one")]
    pub seed: u64,
    /// People acknowledge what has waited for them so long; default never.
    #[serde(default)]
    pub acknowledge: Option<Span>,
    /// Another plan than the one that is given.
    #[serde(default)]
    pub plan: Option<RingPlan>,
}

/// What a level does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LevelDoes {
    /// It breaks this share of the data planes.
    pub breaks: PerMille,
    /// From this time after the promotion on.
    pub from: Span,
    /// Not before this time after a data plane's own start.
    pub after: Span,
    /// This share of the broken ones falls silent.
    pub silent: PerMille,
}

/// What fails whatever the level is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Others {
    /// This share was sick before the update.
    pub sick: PerMille,
    /// This share fails at it by chance.
    pub by_chance: PerMille,
}

fn normal() -> Tempo {
    Tempo::Normal
}

fn one() -> u64 {
    1
}

impl Scenario {
    /// Reads a file: the scenario, and the table below its line `---`, if it has one.
    ///
    /// # Errors
    /// What is wrong with the scenario.
    pub fn read(text: &str) -> Result<(Self, Option<&str>), Vec<Problem>> {
        let (scenario, expected) = match text.split_once(LINE) {
            Some((scenario, expected)) => (scenario, Some(expected.trim_end())),
            None => (text, None),
        };
        Ok((yaml::read(scenario)?, expected))
    }

    /// The same file with another table.
    pub fn write(text: &str, table: &str) -> String {
        let scenario = text.split_once(LINE).map_or(text, |(scenario, _)| scenario);
        format!("{}{LINE}{table}\n", scenario.trim_end())
    }

    /// All that is wrong with it: path and cause.
    pub fn problems(&self, shipped: &RingPlan) -> Vec<String> {
        let plan = self.plan.as_ref().unwrap_or(shipped);
        let mut problems: Vec<String> =
            plan.problems().into_iter().map(|problem| format!("plan.{problem}")).collect();
        problems.extend(self.fleet.problems(plan).into_iter().map(|problem| format!("fleet.{problem}")));
        if !plan.tempos.contains_key(&self.tempo) {
            problems.push(format!("tempo: the plan has no tempo {}", self.tempo.as_str()));
        }
        problems
    }

    /// What happens in it.
    pub fn trial(&self) -> Trial {
        Trial {
            seed: self.seed,
            breaks: self.level.breaks,
            from: self.level.from,
            after: self.level.after,
            cut_off: self.level.silent,
            sick: self.others.sick,
            by_chance: self.others.by_chance,
            acknowledge: self.acknowledge,
            reaction: REACTION,
        }
    }

    /// Plays it.
    ///
    /// # Errors
    /// As [`simulate`].
    pub fn play(&self, shipped: &RingPlan) -> Result<(Simulation, String), BadName> {
        let trial = self.trial();
        let simulation = simulate(self.plan.as_ref().unwrap_or(shipped), self.tempo, &self.fleet, &trial)?;
        let table = table(&simulation, &trial);
        Ok((simulation, table))
    }
}
