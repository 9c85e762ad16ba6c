//! `publisher key ceremony start`.

use std::path::PathBuf;

use pdp_policies::At;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::cli::output::{self, Format};
use serde_json::json;

use crate::ceremony::{Plan, Start, Step, quoted};
use crate::yaml_file;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The plan: who is to hold which role (docs/keys.md shows one).
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// The file to write; must not exist. It goes to everybody.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let plan: Plan = yaml_file::good(&args.plan, "docs/keys.md shows a plan")?;
    plan.check()?;
    let people: Vec<_> = plan.seats().into_keys().collect();
    let mut nonce = [0; 16];
    aws_lc_rs::rand::fill(&mut nonce).map_err(internal)?;
    let start = Start { nonce: hex::encode(nonce), created: now, plan };
    let ceremony = start.digest()?;
    Step::Start(start).write(&args.out)?;
    let text = format!(
        "✔ ceremony {ceremony}\n  next: send {} to {}; each runs `publisher key ceremony join`",
        args.out.display(),
        quoted(&people)
    );
    output::print(format, &json!({ "ceremony": ceremony, "people": people }), &text)?;
    Ok(exit::DONE)
}
