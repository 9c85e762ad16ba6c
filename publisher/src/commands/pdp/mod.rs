//! `publisher pdp`: the data planes that the channel server knows.

mod list;
mod overrule;
mod revoke;
mod show;
mod token;

use std::str::FromStr;

use clap::Subcommand;
use pdp_policies::PdpId;
use pdp_transport::channel_server::{OrganizationView, Page};
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::Format;

use crate::server::Desk;

#[derive(Debug, Subcommand)]
pub(crate) enum Pdp {
    /// Lists enrolled data planes.
    List(list::Args),
    /// Shows one data plane.
    Show(show::Args),
    /// Makes a one-time enrolment token, shown once.
    Token(token::Args),
    /// Gives a data plane a ring of its own (staging before production), or its organization's again.
    Override(overrule::Args),
    /// Shuts a data plane out: a lost or copied key. What runs there keeps running.
    Revoke(revoke::Args),
}

pub(crate) async fn run(command: Pdp, format: Format) -> Result<u8> {
    match command {
        Pdp::List(args) => list::run(&args, format).await,
        Pdp::Show(args) => show::run(&args, format).await,
        Pdp::Token(args) => token::run(&args, format).await,
        Pdp::Override(args) => overrule::run(&args, format).await,
        Pdp::Revoke(args) => revoke::run(&args, format).await,
    }
}

/// The organization of a data plane that needn't be enrolled yet, for a dry run.
///
/// # Errors
/// `NotFound`.
async fn organization(desk: &Desk, of: &Named) -> Result<OrganizationView> {
    let known: Page<OrganizationView> = desk.get("v1/organizations").await?;
    known.items.into_iter().find(|found| found.name == of.0.organization).ok_or_else(|| {
        Failure::new("NotFound", format!("no organization `{}`", of.0.organization))
            .hint("`publisher org add` adds one")
    })
}

/// `<organization>/<data plane>` as people type it.
#[derive(Debug, Clone)]
pub(super) struct Named(pub(super) PdpId);

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (organization, data_plane) =
            text.split_once('/').ok_or("write ORGANIZATION/DATA-PLANE, such as nordbank/prod")?;
        let organization = organization.parse().map_err(|e| format!("{e}"))?;
        let data_plane = data_plane.parse().map_err(|e| format!("{e}"))?;
        Ok(Self(PdpId { organization, data_plane }))
    }
}
