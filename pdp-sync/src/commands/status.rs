//! `pdp-sync status`: what the last pass left behind.

use std::path::PathBuf;

use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{Format, print};
use pdp_transport::cli::{Failure, exit};

use crate::state;
use crate::status::{self, Status};
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder that survives restarts.
    #[arg(long, env = "PDP_SYNC_STATE", value_name = "DIR")]
    state: PathBuf,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<u8> {
    let status: Option<Status> = state::read(&Store::Folder(args.state.clone()), "status.json")?;
    let missing = || {
        Failure::new("NotFound", format!("no status in {}", args.state.display()))
            .hint("let `pdp-sync run` make one pass")
    };
    let status = status.ok_or_else(missing)?;
    print(format, &status, &status::text(&status))?;
    Ok(exit::DONE)
}
