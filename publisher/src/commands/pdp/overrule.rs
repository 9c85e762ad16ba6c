//! `publisher pdp override`.

use pdp_policies::Ring;
use pdp_transport::channel_server::{DataPlaneView, RingChange};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};

use super::Named;
use crate::server::ServerArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which one, such as nordbank/staging; it needn't be enrolled yet.
    #[arg(value_name = "ORGANIZATION/DATA-PLANE")]
    data_plane: Named,
    /// Its own ring.
    #[arg(long, required_unless_present = "none")]
    ring: Option<Ring>,
    /// Back to the organization's ring.
    #[arg(long, conflicts_with = "ring")]
    none: bool,
    /// Why, for the event log.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let change = RingChange { ring: args.ring.clone(), reason: args.reason.clone() };
    let path = format!("v1/data-planes/{}/ring", args.data_plane.0);
    let view: Option<DataPlaneView> = args.server.open()?.put(&path, &change).await?;
    let what =
        args.ring.as_ref().map_or("its organization's ring".to_owned(), |ring| format!("ring `{ring}`"));
    output::print(format, &view, &format!("✔ {} is in {what} now", args.data_plane.0))?;
    Ok(exit::DONE)
}
