//! `kubectl pdp suspend`: pdp-sync does nothing until a person resumes it.

use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::print;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::{Common, seen};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// Why, for whoever finds it suspended.
    #[arg(long)]
    reason: String,
}

pub(super) async fn run(args: &Args) -> Result<u8> {
    let cluster = Cluster::of(&args.common).await?;
    let of = cluster.subscription(args.common.name.as_deref()).await?;
    cluster.patch(&of, &change(&args.reason)).await?;
    let text = format!(
        "✔ {} is suspended: nothing new starts, what runs keeps running\n  kubectl pdp resume {}",
        seen::id(&of),
        seen::place(&of)
    );
    print(args.common.output, &json!({ "pdp": seen::id(&of).to_string(), "suspend": true }), &text)?;
    Ok(exit::DONE)
}

fn change(reason: &str) -> Value {
    json!({ "metadata": { "annotations": { seen::SUSPEND_REASON: reason } }, "spec": { "suspend": true } })
}
