//! `publisher exposure`: who is open to what, and what helps.

use pdp_policies::{At, Line, Organization};
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format};

use super::{blocking, channel};
use crate::advisories::{AdvisoriesArgs, tell};
use crate::catalog::{CatalogArgs, Current, published_of};
use crate::exposure::{Known, exposure, text};
use crate::server::AskedServerArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release line.
    #[arg(long)]
    line: Line,
    /// Only this advisory, by its id or a CVE id.
    #[arg(long, value_name = "ID")]
    advisory: Option<String>,
    /// Only this organization's data planes.
    #[arg(long, value_name = "NAME")]
    organization: Option<Organization>,
    #[command(flatten)]
    advisories: AdvisoriesArgs,
    #[command(flatten)]
    server: AskedServerArgs,
    #[command(flatten)]
    catalog: CatalogArgs,
}

/// Exits with 1 if anything is past its deadline; else with 7 if a data plane can't be judged: it may be open to anything.
pub(crate) async fn run(args: Args, format: Format, now: At) -> Result<u8> {
    let hint = "name the channel server with `--server`";
    let desk = args.server.needed(&args.catalog.git.connection.http()?, hint)?;
    let planes = desk.data_planes(args.organization.as_ref()).await?;
    if planes.is_empty() {
        desk.knows(args.organization.as_slice()).await?;
    }
    let told = args.advisories.read()?;
    let (mut releases, channel, args) = blocking(move || {
        let current = Current::fetch(&args.catalog, now)?;
        Ok((published_of(&current, &args.line)?, channel::current(&current, &args.line)?, args))
    })
    .await?;
    tell(&told, &mut releases)?;
    let (known, only) = (Known::of(&releases, &channel), args.advisory.as_deref());
    only.filter(|id| !known.names(id)).map_or(Ok(()), |id| Err(no_advisory(&args.line, id)))?;
    let found = exposure(&known, &planes, only, now);
    output::print(format, &found, &text(&found))?;
    Ok(found.exit())
}

fn no_advisory(line: &Line, id: &str) -> Failure {
    let what = format!("no release of line `{line}` names `{}`", pdp_policies::printable(id));
    Failure::new("NotFound", what).hint(
        "an advisory is known once a release that fixes it is published, and a CVE id once its embargo is over, with \
         `--advisories`",
    )
}
