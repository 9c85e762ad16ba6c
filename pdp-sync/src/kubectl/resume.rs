//! `kubectl pdp resume`: pdp-sync goes on, at once.

use pdp_transport::cli::clock::now;
use pdp_transport::cli::failure::Result;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::reconcile::{Patience, annotations, finish, stamp};
use super::{Common, seen};
use crate::crd::REQUESTED_AT;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    patience: Patience,
}

pub(super) async fn run(args: &Args) -> Result<u8> {
    let cluster = Cluster::of(&args.common).await?;
    let of = cluster.subscription(args.common.name.as_deref()).await?;
    let asked = stamp(now(), of.metadata.annotations.as_ref().and_then(|all| all.get(REQUESTED_AT)));
    let of = cluster.patch(&of, &change(&asked)).await?;
    finish(&cluster, &of, &asked, args.patience, &args.common).await
}

/// One patch: whoever sees it resumed sees the request, too.
fn change(asked: &str) -> Value {
    let mut annotations = annotations(asked, false);
    annotations[seen::SUSPEND_REASON] = Value::Null;
    json!({ "metadata": { "annotations": annotations }, "spec": { "suspend": false } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_away_the_reason_and_asks_for_a_look() {
        let change = change("2026-11-23T12:00:00Z");
        assert_eq!(change["spec"]["suspend"], false);
        assert_eq!(change["metadata"]["annotations"][REQUESTED_AT], "2026-11-23T12:00:00Z");
        assert!(change["metadata"]["annotations"][seen::SUSPEND_REASON].is_null());
    }
}
