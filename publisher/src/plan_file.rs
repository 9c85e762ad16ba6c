//! A ring plan as people write it.

use std::path::Path;

use pdp_policies::{RingPlan, yaml};
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::files;

/// Reads and checks a plan (YAML).
///
/// # Errors
/// `NotFound`, `TooLarge`; `BadPlan` with all problems at once, each with the path where it stands.
pub(crate) fn read(path: &Path) -> Result<RingPlan> {
    let bytes = files::read_capped(path, yaml::MAX_YAML_BYTES as u64)?;
    let bytes = bytes.ok_or_else(|| {
        Failure::new("NotFound", format!("no file {}", path.display()))
            .hint("policies/defaults/ring-plan.yaml is the shipped plan: begin with a copy")
    })?;
    let problems = match yaml::read::<RingPlan>(&String::from_utf8_lossy(&bytes)) {
        Ok(plan) => match plan.problems() {
            problems if problems.is_empty() => return Ok(plan),
            problems => problems,
        },
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    };
    Err(Failure::new("BadPlan", format!("{}: {} problem(s)", path.display(), problems.len()))
        .cause(problems.join("\n"))
        .hint("docs/formats.md describes each field"))
}
