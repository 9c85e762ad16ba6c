//! A scenario: played, and compared with its table.

use std::path::Path;

use pdp_policies::RingPlan;
use pdp_policies::rollout::simulate::Scenario;
use pdp_policies::yaml::MAX_YAML_BYTES;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::Format;
use pdp_transport::files;

use super::{HINT, draw, print};
use crate::yaml_file::{named, refused};

pub(super) fn run(file: &Path, plan: &RingPlan, plot: Option<&Path>, format: Format) -> Result<u8> {
    let text = read(file)?;
    let (scenario, expected) = Scenario::read(&text).map_err(|problems| {
        let problems = problems.iter().map(ToString::to_string).collect();
        refused("BadYaml", &named(file, problems)).hint(HINT)
    })?;
    let problems = named(file, scenario.problems(plan));
    if !problems.is_empty() {
        return Err(refused("BadInput", &problems).hint(HINT));
    }
    let (simulation, table) = scenario.play(plan).map_err(internal)?;
    draw(plot, &simulation, &scenario.trial())?;
    print(format, &simulation, &scenario.trial())?;
    match expected {
        Some(expected) if expected != table => Err(other_table(file)),
        _ => Ok(exit::DONE),
    }
}

fn read(file: &Path) -> Result<String> {
    let bytes = files::read_capped(file, MAX_YAML_BYTES as u64)?;
    let bytes =
        bytes.ok_or_else(|| Failure::new("NotFound", format!("no file {}", file.display())).hint(HINT))?;
    String::from_utf8(bytes).map_err(|error| {
        let problem = format!("byte {} is not UTF-8 text", error.utf8_error().valid_up_to());
        refused("BadYaml", &named(file, vec![problem]))
    })
}

fn other_table(file: &Path) -> Failure {
    Failure::new("OtherTable", format!("{} expects another table", file.display()))
        .hint("if the new one is right, put it below the file's line `---`")
        .exit(exit::NEGATIVE)
}
