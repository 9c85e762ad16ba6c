//! `publisher rollout simulate`: the engine's own functions over a fleet on paper.

mod plot;
mod text;

use std::path::{Path, PathBuf};

use pdp_policies::rollout::simulate::{Fleet, REACTION, Simulation, Trial, simulate};
use pdp_policies::{Percent, RingPlan, Span, Tempo, yaml};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::{self, Format};
use serde::Serialize;
use serde::de::DeserializeOwned;

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
        Some(file) => read(file)?,
        None => RingPlan::shipped().map_err(|_| internal("the shipped plan isn't read"))?,
    };
    let fleet: Fleet = read(&args.fleet)?;
    let mut problems = Vec::new();
    if let Some(file) = &args.plan {
        problems.extend(named(file, plan.problems()));
    }
    problems.extend(named(&args.fleet, fleet.problems(&plan)));
    if !plan.tempos.contains_key(&args.tempo) {
        problems.push(format!("the plan has no tempo {}", args.tempo.as_str()));
    }
    refuse(problems)?;
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

fn read<T: DeserializeOwned>(file: &Path) -> Result<T> {
    let refuse = |error: std::io::Error| {
        Failure::new("Unreadable", format!("{} can't be read", file.display())).cause(error)
    };
    let length = std::fs::metadata(file).map_err(refuse)?.len();
    if length > yaml::MAX_YAML_BYTES as u64 {
        let what =
            format!("{} has {length} bytes; at most {} are read", file.display(), yaml::MAX_YAML_BYTES);
        return Err(Failure::new("TooLarge", what));
    }
    let text = std::fs::read_to_string(file).map_err(refuse)?;
    let found =
        |problems: Vec<yaml::Problem>| named(file, problems.iter().map(ToString::to_string).collect());
    match yaml::read(&text) {
        Ok(value) => Ok(value),
        Err(problems) => Err(bad(&found(problems))),
    }
}

fn named(file: &Path, problems: Vec<String>) -> Vec<String> {
    problems.into_iter().map(|problem| format!("{}: {problem}", file.display())).collect()
}

fn refuse(problems: Vec<String>) -> Result<()> {
    if problems.is_empty() { Ok(()) } else { Err(bad(&problems)) }
}

fn bad(problems: &[String]) -> Failure {
    Failure::new("BadInput", problems.join("\n  "))
        .hint("docs/rollouts.md shows both files")
        .exit(exit::NEGATIVE)
}
