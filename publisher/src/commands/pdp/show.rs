//! `publisher pdp show`.

use pdp_policies::At;
use pdp_policies::report::ReportCode;
use pdp_transport::channel_server::DataPlaneView;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};

use super::Named;
use super::list::{name, target};
use crate::server::ServerArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which one, such as nordbank/prod.
    #[arg(value_name = "ORGANIZATION/DATA-PLANE")]
    data_plane: Named,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let view: DataPlaneView =
        args.server.open()?.get(&format!("v1/data-planes/{}", args.data_plane.0)).await?;
    output::list(format, &view, [name(&view)], &text(&view))?;
    Ok(exit::DONE)
}

/// All that is known of it, a line each.
pub(super) fn text(view: &DataPlaneView) -> String {
    let at = |at: Option<At>| at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    let own = if view.own_ring.is_some() { " (its own)" } else { "" };
    let mut lines = vec![
        format!("{}/{}", view.organization, view.data_plane),
        format!("  ring      {}{own}", view.ring),
        format!("  level     {}", view.current.map_or_else(|| "none".to_owned(), |c| c.level.to_string())),
        format!("  target    {}", target(view)),
        format!("  enrolled  {}, pdp-sync {}", view.enrolled, view.pdp_sync),
        format!("  polled    {}", at(view.seen)),
        format!("  reported  {}", at(view.heard)),
    ];
    lines.extend(view.revoked.map(|at| format!("  SHUT OUT  {at}")));
    let codes = view.target.iter().flat_map(|target| &target.codes);
    lines.extend(codes.map(|code| match code {
        ReportCode::Obstacle(code) => format!("  ✗ {code}  [{:?}]", code.owner()),
        ReportCode::Refusal(code) => format!("  ✗ refused: {code}"),
    }));
    lines.join("\n")
}
