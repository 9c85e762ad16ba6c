//! `publisher pdp`: the data planes that the channel server knows.

mod list;
mod overrule;
mod revoke;
mod show;
mod token;

use std::str::FromStr;

use clap::Subcommand;
use pdp_policies::PdpId;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

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
