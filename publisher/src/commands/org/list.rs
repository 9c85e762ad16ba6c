//! `publisher org list`.

use pdp_transport::channel_server::{OrganizationView, Page};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};

use crate::server::ServerArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let page: Page<OrganizationView> = args.server.open()?.get("v1/organizations").await?;
    let mut lines = vec![format!("{:30}  {:12}  DATA PLANES", "ORGANIZATION", "RING")];
    let rows = page.items.iter();
    lines.extend(rows.map(|o| format!("{:30}  {:12}  {}", o.name.as_str(), o.ring.as_str(), o.data_planes)));
    output::list(format, &page.items, page.items.iter().map(|o| &o.name), &lines.join("\n"))?;
    Ok(exit::DONE)
}
