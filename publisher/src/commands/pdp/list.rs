//! `publisher pdp list`.

use pdp_policies::{At, Organization};
use pdp_transport::channel_server::DataPlaneView;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};

use crate::server::ServerArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only those of one organization.
    #[arg(long)]
    organization: Option<Organization>,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let desk = args.server.open()?;
    let planes = desk.data_planes(args.organization.as_ref()).await?;
    let mut lines =
        vec![format!("{:40}  {:12}  {:>5}  {:24}  HEARD", "DATA PLANE", "RING", "LEVEL", "TARGET")];
    lines.extend(planes.iter().map(row));
    output::list(format, &planes, planes.iter().map(name), &lines.join("\n"))?;
    Ok(exit::DONE)
}

pub(super) fn name(plane: &DataPlaneView) -> String {
    format!("{}/{}", plane.organization, plane.data_plane)
}

fn row(plane: &DataPlaneView) -> String {
    let id = name(plane);
    let ring = match &plane.own_ring {
        Some(ring) => format!("{ring} (own)"),
        None => plane.ring.to_string(),
    };
    let level = plane.current.map_or_else(|| "-".to_owned(), |current| current.level.to_string());
    let heard = plane.heard.map_or_else(|| "never".to_owned(), |at: At| at.to_string());
    let heard = plane.revoked.map_or(heard, |at| format!("shut out {at}"));
    format!("{id:40}  {ring:12}  {level:>5}  {:24}  {heard}", target(plane))
}

/// What it is doing, in a few words.
pub(super) fn target(plane: &DataPlaneView) -> String {
    plane.target.as_ref().map_or_else(String::new, |target| format!("{} {:?}", target.level, target.state))
}
