//! `publisher channel plan`: another ring plan for a line.

use std::path::PathBuf;

use pdp_policies::{At, Line, RingPlan};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format};

use crate::catalog::{ChangeArgs, Current, Other};
use crate::keys::KeyArgs;
use crate::plan_file;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release line.
    #[arg(long)]
    line: Line,
    /// The plan (YAML): rings, waves, shares, budgets, tempos.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    catalog: ChangeArgs,
    #[command(flatten)]
    keys: KeyArgs,
}

/// Levels keep the earliest times that were signed with them; shares, soaks and budgets are the new plan's at once.
pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let plan = plan_file::read(&args.file)?;
    let keys = args.keys.unlock()?;
    let current = Current::fetch(&args.catalog, now)?;
    let mut channel = super::current(&current, &args.line)?;
    keeps_rings(&channel.plan, &plan)?;
    channel.plan = plan;
    let proposed = super::propose(&current, &args.catalog, &channel, Other::Stays, &keys, now)?;
    let rings = channel.plan.rings.len();
    output::print(
        format,
        &channel.plan,
        &format!("✔ plan of {rings} rings for `{}`: {proposed}", args.line),
    )?;
    Ok(exit::DONE)
}

/// Organizations and data planes are in the rings of the plan before: none may get lost.
fn keeps_rings(before: &RingPlan, after: &RingPlan) -> Result<()> {
    let lost = before.rings.iter().filter(|rules| after.position(&rules.name).is_none());
    let lost: Vec<_> = lost.map(|rules| format!("`{}`", rules.name)).collect();
    if lost.is_empty() {
        return Ok(());
    }
    Err(Failure::new("BadPlan", format!("the plan lacks {}", lost.join(", ")))
        .cause("organizations may be in it")
        .hint("keep the ring, or promote on another line"))
}
