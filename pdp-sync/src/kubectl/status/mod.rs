//! `kubectl pdp status`: a table of several data planes, one in detail, or a line per change.

mod detail;
mod list;
mod watch;

pub(super) use detail::suspend_reason;
pub(super) use watch::failed as watch_failed;

use kube::ResourceExt;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::{Common, seen};
use crate::crd::UpdateSubscription;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// Prints a line at every change, until it is interrupted.
    #[arg(short, long)]
    watch: bool,
}

pub(super) async fn run(args: &Args) -> Result<u8> {
    let common = &args.common;
    let cluster = Cluster::of(common).await?;
    if args.watch {
        return watch::follow(&cluster, common).await;
    }
    let now = pdp_transport::cli::clock::now();
    let found = match &common.name {
        None if common.all_namespaces => cluster.subscriptions().await?,
        None => several(&cluster).await?,
        Some(name) => vec![cluster.subscription(Some(name)).await?],
    };
    match found.as_slice() {
        [one] if !common.all_namespaces => {
            output::list(common.output, &value(one), [one.name_any()], &detail::text(one, now))?
        }
        all => output::list(
            common.output,
            &all.iter().map(value).collect::<Vec<_>>(),
            all.iter().map(|one| name(one, common.all_namespaces)),
            &list::text(all, now),
        )?,
    }
    Ok(exit::DONE)
}

/// What other commands take; with its namespace where there are several.
fn name(of: &UpdateSubscription, everywhere: bool) -> String {
    match of.namespace().filter(|_| everywhere) {
        Some(namespace) => format!("{namespace}/{}", of.name_any()),
        None => of.name_any(),
    }
}

/// All in the namespace; none at all is worth a failure there.
async fn several(cluster: &Cluster) -> Result<Vec<UpdateSubscription>> {
    let found = cluster.subscriptions().await?;
    if found.is_empty() {
        super::cluster::only(found, cluster.namespace()).map(|one| vec![one])
    } else {
        Ok(found)
    }
}

/// For machines: who it is, what a person set, and the status as it stands.
fn value(of: &UpdateSubscription) -> Value {
    json!({
        "namespace": of.namespace(),
        "name": of.name_any(),
        "pdp": seen::id(of).to_string(),
        "suspend": of.spec.suspend,
        "rollback": of.spec.rollback,
        "status": seen::status(of),
    })
}
