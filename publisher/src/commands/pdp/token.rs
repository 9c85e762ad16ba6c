//! `publisher pdp token`.

use pdp_policies::Span;
use pdp_transport::channel_server::{EnrolmentToken, EnrolmentTokenRequest};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format, say};

use super::{Named, organization};
use crate::server::ChangeServerArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// For which one, such as nordbank/prod.
    #[arg(value_name = "ORGANIZATION/DATA-PLANE")]
    data_plane: Named,
    /// How long it may be used, at most 30d.
    #[arg(long, default_value = "24h")]
    life: Span,
    #[command(flatten)]
    server: ChangeServerArgs,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let path = format!("v1/data-planes/{}/enrolment-tokens", args.data_plane.0);
    let request = EnrolmentTokenRequest { life: args.life };
    let desk = args.server.open()?;
    let would = format!("a one-time token for {} would be made, good for {}", args.data_plane.0, args.life);
    if args.server.only_says(&would) {
        let organization = organization(&desk, &args.data_plane).await?;
        output::print(format, &organization, &format!("✔ {would}"))?;
        return Ok(exit::DONE);
    }
    let token: EnrolmentToken = desk.post(&path, &request).await?;
    say(&format!(
        "✔ one-time token for {}, until {}; it is shown this once:",
        args.data_plane.0, token.expires
    ));
    output::print(format, &token, &token.token)?;
    Ok(exit::DONE)
}
