//! `publisher rollout list`.

use pdp_policies::rollout::Phase;
use pdp_transport::channel_server::{Page, RingStatus, RolloutView};
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
    let page: Page<RolloutView> = args.server.open()?.get("v1/rollouts").await?;
    let mut lines = vec![format!("{:16}  {:>5}  {:12}  {:12}  RINGS", "LINE", "LEVEL", "TEMPO", "STATE")];
    lines.extend(page.items.iter().map(row));
    let names = page.items.iter().map(|rollout| format!("{}/{}", rollout.line, rollout.level));
    output::list(format, &page.items, names, &lines.join("\n"))?;
    Ok(exit::DONE)
}

fn row(rollout: &RolloutView) -> String {
    let rings: Vec<_> = rollout
        .rings
        .iter()
        .map(|ring| match ring.status {
            RingStatus::Waiting => format!("{} ·", ring.ring),
            RingStatus::Open => format!("{} {}/{}", ring.ring, ring.wave, ring.waves),
            RingStatus::Passed => format!("{} ✔", ring.ring),
        })
        .collect();
    let done = rollout.rings.iter().all(|ring| ring.status == RingStatus::Passed);
    let state = match rollout.phase {
        Phase::Passed if done => "done",
        Phase::Waiting | Phase::Open | Phase::Soaking | Phase::Passed => "going",
        held => held.as_str(),
    };
    let state = rollout.braked.clone().unwrap_or_else(|| state.to_owned());
    format!(
        "{:16}  {:>5}  {:12}  {state:12}  {}",
        rollout.line.as_str(),
        rollout.level.to_string(),
        format!("{:?}", rollout.tempo),
        rings.join("  ")
    )
}
