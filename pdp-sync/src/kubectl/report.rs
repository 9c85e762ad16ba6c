//! `kubectl pdp report`: a data plane's last report, for those that wait for it and aren't told by a server.

use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::print;

use super::cluster::Cluster;
use super::{Common, secrets, seen};
use crate::state::{HANDED, Handed};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
}

pub(super) async fn run(args: &Args) -> Result<u8> {
    let cluster = Cluster::of(&args.common).await?;
    let of = cluster.subscription(args.common.name.as_deref()).await?;
    let state = cluster.secret(&of, &secrets::state_of(&of)).await?;
    let bytes = state.as_ref().and_then(|state| secrets::bytes(state, HANDED));
    let missing = || {
        Failure::new("NotFound", format!("no report of {}", seen::id(&of)))
            .hint("it is written once a level is installed")
    };
    let handed: Handed = serde_json::from_slice(bytes.ok_or_else(missing)?).map_err(internal)?;
    let text = serde_json::to_string(&handed.report).map_err(internal)?;
    print(args.common.output, &handed.report, &text)?;
    Ok(exit::DONE)
}
