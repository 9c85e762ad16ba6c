//! `publisher org add` and `publisher org ring`.

use pdp_policies::{Organization, Ring};
use pdp_transport::channel_server::{OrganizationChange, OrganizationView, Page};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format};

use crate::server::ChangeServerArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The organization.
    organization: Organization,
    /// The ring of its data planes.
    #[arg(long)]
    ring: Ring,
    /// Why, for the event log.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    server: ChangeServerArgs,
}

/// Whether the organization has to be there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// It must not.
    New,
    /// It must.
    Known,
}

pub(crate) async fn run(args: &Args, wanted: Wanted, format: Format) -> Result<u8> {
    let desk = args.server.open()?;
    let known: Page<OrganizationView> = desk.get("v1/organizations").await?;
    let known = known.items.into_iter().find(|found| found.name == args.organization);
    match (wanted, &known) {
        (Wanted::Known, None) => {
            return Err(Failure::new("NotFound", format!("no organization `{}`", args.organization))
                .hint("`publisher org add` adds one")
                .exit(exit::NOT_FOUND));
        }
        (Wanted::New, Some(known)) if known.ring != args.ring => {
            let what = format!("`{}` is there already, in ring `{}`", known.name, known.ring);
            return Err(Failure::new("Exists", what).hint("`publisher org ring` moves it"));
        }
        _ => {}
    }
    let would = format!("`{}` would be put into ring `{}`", args.organization, args.ring);
    if args.server.only_says(&would) {
        output::print(format, &known, &format!("✔ {would}"))?;
        return Ok(exit::DONE);
    }
    let change = OrganizationChange { ring: args.ring.clone(), reason: args.reason.clone() };
    let view: OrganizationView =
        desk.put(&format!("v1/organizations/{}", args.organization), &change).await?;
    let text = match known {
        Some(before) if before.ring == view.ring => {
            format!("✔ `{}` is in ring `{}` already", view.name, view.ring)
        }
        Some(before) => format!("✔ `{}` moved from ring `{}` to `{}`", view.name, before.ring, view.ring),
        None => format!("✔ `{}` added, ring `{}`", view.name, view.ring),
    };
    output::print(format, &view, &text)?;
    Ok(exit::DONE)
}
