//! `publisher pdp override`.

use pdp_policies::Ring;
use pdp_transport::channel_server::{DataPlaneView, RingChange};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};

use super::{Named, organization};
use crate::server::ChangeServerArgs;

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
    server: ChangeServerArgs,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let change = RingChange { ring: args.ring.clone(), reason: args.reason.clone() };
    let path = format!("v1/data-planes/{}/ring", args.data_plane.0);
    let what =
        args.ring.as_ref().map_or("its organization's ring".to_owned(), |ring| format!("ring `{ring}`"));
    let desk = args.server.open()?;
    let would = format!("{} would be put into {what}", args.data_plane.0);
    if args.server.only_says(&would) {
        let organization = organization(&desk, &args.data_plane).await?;
        output::print(format, &organization, &format!("✔ {would}"))?;
        return Ok(exit::DONE);
    }
    let view: Option<DataPlaneView> = desk.put(&path, &change).await?;
    output::print(format, &view, &format!("✔ {} is in {what} now", args.data_plane.0))?;
    Ok(exit::DONE)
}
