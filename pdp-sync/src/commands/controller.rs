//! `pdp-sync controller`.

use std::net::SocketAddr;
use std::path::PathBuf;

use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;

use crate::connection::{Connection, ConnectionArgs};
use crate::controller::{self, Settings};

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
    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) fn run(args: Args) -> Result<u8> {
    let Args { namespace, cache, metrics_addr, health_addr, events_addr, connection } = args;
    let connection = Connection::new(&connection)?;
    let events_addr = Some(events_addr).filter(|url| !url.is_empty());
    let settings = Settings { namespace, cache, metrics_addr, health_addr, events_addr, connection };
    controller::run(settings).map(|()| exit::DONE)
}
