//! `publisher rollout simulate`: the engine's own functions over a fleet on paper.

mod plot;
mod text;

use std::path::PathBuf;

use pdp_policies::rollout::simulate::{Fleet, REACTION, Simulation, Trial, simulate};
use pdp_policies::{Percent, RingPlan, Span, Tempo};
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
    fleet: PathBuf,
    /// A ring plan (default: the shipped one).
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// How fast the level travels: normal, accelerated or emergency.
    #[arg(long, default_value = "normal")]
    tempo: Tempo,
    /// The level breaks this share of the data planes (percent).
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    breaks: u8,
    /// It breaks them from this minute after the promotion on.
    #[arg(long, value_name = "MINUTE", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    from: u32,
    /// This share of the broken ones can't say so and falls silent (percent).
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    silent: u8,
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
    breaks: u8,
    from: Span,
    silent: u8,
    seed: u64,
    #[serde(flatten)]
    simulation: &'a Simulation,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<u8> {
    let plan = match &args.plan {
        Some(file) => yaml_file::good(file, plan_file::HINT)?,
        None => RingPlan::shipped().map_err(|_| internal("the shipped plan isn't read"))?,
    };
    let fleet: Fleet = yaml_file::good(&args.fleet, HINT)?;
    let mut problems = Vec::new();
    if let Some(file) = &args.plan {
        problems.extend(named(file, plan.problems()));
    }
    problems.extend(named(&args.fleet, fleet.problems(&plan)));
    if !plan.tempos.contains_key(&args.tempo) {
        problems.push(format!("the plan has no tempo {}", args.tempo.as_str()));
    }
    if !problems.is_empty() {
        return Err(refused("BadInput", &problems).hint(HINT));
    }
    let trial = Trial {
        seed: args.seed,
        breaks: percent(args.breaks)?,
        from: Span::from_seconds(args.from * 60),
        cut_off: percent(args.silent)?,
        reaction: REACTION,
    };
    let simulation = simulate(&plan, args.tempo, &fleet, &trial).map_err(internal)?;
    if let Some(file) = &args.plot {
        let svg = plot::svg(&simulation, &text::headline(&simulation, &trial));
        std::fs::write(file, svg).map_err(|error| {
            Failure::new("NotWritten", format!("{} can't be written", file.display())).cause(error)
        })?;
    }
    let (breaks, silent, seed, from) = (args.breaks, args.silent, args.seed, trial.from);
    let answer = Answer { breaks, from, silent, seed, simulation: &simulation };
    output::print(format, &answer, &text::text(&simulation, &trial))?;
    Ok(exit::DONE)
}

fn percent(number: u8) -> Result<Percent> {
    Percent::try_from(number).map_err(internal)
}
