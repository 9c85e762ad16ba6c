//! `publisher rollout simulate`: the engine's own functions over a fleet on paper.

mod plot;
mod scenario;

use std::path::{Path, PathBuf};

use pdp_policies::rollout::simulate::{
    Fleet, PerMille, REACTION, Simulation, Trial, headline, simulate, text,
};
use pdp_policies::{RingPlan, Span, Tempo};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::{self, Format};
use serde::Serialize;

use crate::plan_file;
use crate::yaml_file::{self, named, refused};

/// Where to get a fleet.
const HINT: &str = "docs/rollouts.md shows both files";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The fleet: who is in which ring, and how data planes behave.
    #[arg(required_unless_present = "scenario")]
    fleet: Option<PathBuf>,
    /// A scenario instead: fleet, level and expected table in one file (docs/rollouts.md). Exit code 1 if another
    /// table comes out.
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "fleet", "tempo", "breaks", "from", "after", "silent", "sick", "by_chance", "acknowledge", "seed",
    ])]
    scenario: Option<PathBuf>,
    /// A ring plan (default: the shipped one).
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// How fast the level travels: normal, accelerated or emergency.
    #[arg(long, default_value = "normal")]
    tempo: Tempo,
    /// The level breaks this share of the data planes: 5, 0.5% or 5‰.
    #[arg(long, value_name = "PERCENT", default_value = "0")]
    breaks: PerMille,
    /// It breaks them from this minute after the promotion on.
    #[arg(long, value_name = "MINUTE", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    from: u32,
    /// And not before this many minutes after the data plane's own start.
    #[arg(long, value_name = "MINUTES", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    after: u32,
    /// This share of the broken ones can't say so and falls silent (percent).
    #[arg(long, value_name = "PERCENT", default_value = "0")]
    silent: PerMille,
    /// This share was sick before the update and fails at it, whatever the level is (percent).
    #[arg(long, value_name = "PERCENT", default_value = "0")]
    sick: PerMille,
    /// This share fails at the update by chance, whatever the level is (percent).
    #[arg(long, value_name = "PERCENT", default_value = "0")]
    by_chance: PerMille,
    /// People acknowledge a wave that has waited for them so long, such as 1d (default: they never do).
    #[arg(long, value_name = "TIME")]
    acknowledge: Option<Span>,
    /// Another seed gives another fate to each data plane; the same one the same.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Writes a picture of both plans (SVG).
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

/// What was asked and what came out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    breaks: PerMille,
    from: Span,
    after: Span,
    silent: PerMille,
    sick: PerMille,
    by_chance: PerMille,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledge: Option<Span>,
    seed: u64,
    #[serde(flatten)]
    simulation: &'a Simulation,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<u8> {
    let plan = plan(args)?;
    match (&args.scenario, &args.fleet) {
        (Some(file), _) => scenario::run(file, &plan, args.plot.as_deref(), format),
        (None, Some(file)) => play(args, file, &plan, format),
        (None, None) => Err(internal("clap asks for one of them")),
    }
}

fn play(args: &Args, file: &Path, plan: &RingPlan, format: Format) -> Result<u8> {
    let fleet: Fleet = yaml_file::good(file, HINT)?;
    let mut problems = Vec::new();
    if let Some(file) = &args.plan {
        problems.extend(named(file, plan.problems()));
    }
    problems.extend(named(file, fleet.problems(plan)));
    if !plan.tempos.contains_key(&args.tempo) {
        problems.push(format!("the plan has no tempo {}", args.tempo.as_str()));
    }
    if !problems.is_empty() {
        return Err(refused("BadInput", &problems).hint(HINT));
    }
    let trial = trial(args);
    let simulation = simulate(plan, args.tempo, &fleet, &trial).map_err(internal)?;
    draw(args.plot.as_deref(), &simulation, &trial)?;
    print(format, &simulation, &trial)?;
    Ok(exit::DONE)
}

fn plan(args: &Args) -> Result<RingPlan> {
    match &args.plan {
        Some(file) => yaml_file::good(file, plan_file::HINT),
        None => RingPlan::shipped().map_err(|_| internal("the shipped plan isn't read")),
    }
}

fn trial(args: &Args) -> Trial {
    let minutes = |minutes: u32| Span::from_seconds(minutes * 60);
    Trial {
        seed: args.seed,
        breaks: args.breaks,
        from: minutes(args.from),
        after: minutes(args.after),
        cut_off: args.silent,
        sick: args.sick,
        by_chance: args.by_chance,
        acknowledge: args.acknowledge,
        reaction: REACTION,
    }
}

fn draw(file: Option<&Path>, simulation: &Simulation, trial: &Trial) -> Result<()> {
    let Some(file) = file else { return Ok(()) };
    let svg = plot::svg(simulation, &headline(simulation, trial));
    std::fs::write(file, svg).map_err(|error| {
        Failure::new("NotWritten", format!("{} can't be written", file.display())).cause(error)
    })
}

fn print(format: Format, simulation: &Simulation, trial: &Trial) -> Result<()> {
    let Trial { seed, breaks, from, after, cut_off, sick, by_chance, acknowledge, .. } = *trial;
    let silent = cut_off;
    let answer = Answer { breaks, from, after, silent, sick, by_chance, acknowledge, seed, simulation };
    output::print(format, &answer, &text(simulation, trial))
}
