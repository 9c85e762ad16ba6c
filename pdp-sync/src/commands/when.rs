//! `pdp-sync when`: when levels can start.

use pdp_policies::Level;
use pdp_policies::decision::DecisionRecord;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{Format, print};

use super::Common;
use super::plan::{known, peek};
use crate::reconcile;
use crate::target::git::GitTarget;
use crate::time::Clock;
use crate::when::when;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The level; all that are promoted above the installed one if absent.
    level: Option<u32>,
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<u8> {
    let clock = Clock::new();
    let (subscription, state, plane) = peek(&args.common)?;
    let fetched = known(&plane, &state, clock.now())?;
    let target = GitTarget::open(&subscription, &plane.endpoints, &state.cache("plan-target"))?;
    let found = reconcile::found(&plane.customer, &state, &target)?;
    let candidates = reconcile::when(&plane.customer, &fetched, &state, &found, clock.now())?;
    let installed = state.record.as_ref().and_then(DecisionRecord::installed).map(|it| it.level);
    let asked = args.level.map(Level);
    let answer = when(plane.customer.pdp.to_string(), installed, &candidates, asked);
    print(format, &answer, &answer.text())?;
    Ok(answer.exit(asked))
}
