//! `publisher rollout expedite`.

use pdp_policies::rollout::Command;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

use super::wave::Args;

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let command = Command::Expedite { ring: args.ring.clone(), wave: args.index() };
    args.order
        .give(command, &format!("the soak of wave {} of ring `{}` ends", args.wave, args.ring), format)
        .await
}
