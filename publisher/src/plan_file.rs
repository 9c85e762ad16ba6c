//! A ring plan as people write it.

use std::path::Path;

use pdp_policies::RingPlan;
use pdp_transport::cli::failure::Result;

use crate::yaml_file::{self, named, refused};

/// Where to get a plan.
pub(crate) const HINT: &str = "policies/defaults/ring-plan.yaml is the shipped plan: begin with a copy; docs/formats.md describes each field";

/// Reads and checks a plan (YAML).
///
/// # Errors
/// `NotFound`, `TooLarge`; `BadYaml`, `BadPlan` with all problems at once, each with the path where it stands.
pub(crate) fn read(path: &Path) -> Result<RingPlan> {
    let plan: RingPlan = yaml_file::good(path, HINT)?;
    let problems = named(path, plan.problems());
    if problems.is_empty() { Ok(plan) } else { Err(refused("BadPlan", &problems).hint(HINT)) }
}
