//! `pdp-sync report`: this data plane's last report, for those that wait for it and aren't told by a server.

use std::path::PathBuf;

use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{Format, print};
use pdp_transport::cli::{Failure, exit};

use crate::state::{self, HANDED, Handed};
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder that survives restarts.
    #[arg(long, env = "PDP_SYNC_STATE", value_name = "DIR")]
    state: PathBuf,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<u8> {
    let handed: Option<Handed> = state::read(&Store::Folder(args.state.clone()), HANDED)?;
    let missing = || {
        Failure::new("NotFound", format!("no report in {}", args.state.display()))
            .hint("it is written once a level is installed and its health is measured (spec.probe)")
    };
    let handed = handed.ok_or_else(missing)?.report;
    let text = serde_json::to_string(&handed).map_err(pdp_transport::cli::failure::internal)?;
    print(format, &handed, &text)?;
    Ok(exit::DONE)
}
