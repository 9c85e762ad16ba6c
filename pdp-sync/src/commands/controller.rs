//! `pdp-sync controller`.

use std::net::SocketAddr;
use std::path::PathBuf;

use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;

use crate::connection::{Connection, ConnectionArgs};
use crate::controller::{self, Settings, Siblings};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The one namespace that is watched and written.
    #[arg(long, env = "RUNTIME_NAMESPACE", default_value = "flux-system", value_name = "NAME")]
    namespace: String,
    /// A folder for what may be lost.
    #[arg(long, env = "PDP_SYNC_CACHE", default_value = "/tmp/pdp-sync", value_name = "DIR")]
    cache: PathBuf,
    /// Where Prometheus asks (`/metrics`).
    #[arg(long, env = "METRICS_ADDR", default_value = "0.0.0.0:8080", value_name = "ADDRESS")]
    metrics_addr: SocketAddr,
    /// Where the kubelet asks (`/healthz`, `/readyz`).
    #[arg(long, env = "HEALTH_ADDR", default_value = "0.0.0.0:9440", value_name = "ADDRESS")]
    health_addr: SocketAddr,
    /// Flux's notification-controller; nobody is notified if empty.
    #[arg(long, env = "EVENTS_ADDR", default_value = "", value_name = "URL")]
    events_addr: String,
    /// The name of the pod that it runs in: it begins once no elder pod is at work.
    #[arg(long, env = "POD_NAME", value_name = "NAME", requires = "pod_selector")]
    pod_name: Option<String>,
    /// The labels of all its pods, as `key=value,...`.
    #[arg(long, env = "POD_SELECTOR", value_name = "LABELS", requires = "pod_name")]
    pod_selector: Option<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) fn run(args: Args) -> Result<u8> {
    let Args { namespace, cache, metrics_addr, health_addr, events_addr, pod_name, pod_selector, connection } =
        args;
    let siblings = pod_name.zip(pod_selector).map(|(own, selector)| Siblings { own, selector });
    let connection = Connection::new(&connection)?;
    let events_addr = Some(events_addr).filter(|url| !url.is_empty());
    let settings =
        Settings { namespace, cache, metrics_addr, health_addr, events_addr, connection, siblings };
    controller::run(settings).map(|()| exit::DONE)
}
