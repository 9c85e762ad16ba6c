//! `publisher pdp revoke`.

use pdp_transport::channel_server::DataPlaneView;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};

use super::Named;
use crate::server::ChangeServerArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which one, such as nordbank/prod.
    #[arg(value_name = "ORGANIZATION/DATA-PLANE")]
    data_plane: Named,
    /// Why, for the event log.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    server: ChangeServerArgs,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let query: String = url::form_urlencoded::byte_serialize(args.reason.as_bytes()).collect();
    let path = format!("v1/data-planes/{}?reason={query}", args.data_plane.0);
    let desk = args.server.open()?;
    let would = format!("{} would be shut out", args.data_plane.0);
    if args.server.only_says(&would) {
        let view: DataPlaneView = desk.get(&format!("v1/data-planes/{}", args.data_plane.0)).await?;
        output::print(format, &view, &format!("✔ {would}"))?;
        return Ok(exit::DONE);
    }
    let view: DataPlaneView = desk.delete(&path).await?;
    let text = format!("✔ {} is shut out; a new token lets it enrol again", args.data_plane.0);
    output::print(format, &view, &text)?;
    Ok(exit::DONE)
}
