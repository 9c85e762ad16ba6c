//! What a Kubernetes controller owes to its surroundings. The pass itself is the same as everywhere: `reconcile.rs`.

mod components;
mod conditions;
mod events;
mod handled;
mod health;
mod history;
mod metrics;
mod news_feed;
mod reconciler;
mod resolve;
mod signals;
mod status;
mod storage_version;
mod surroundings;
mod tell;
mod watches;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::StreamExt;
use kube::Client;
use pdp_transport::cli::failure::{Failure, Result, internal};
use tokio::runtime::Handle;

use crate::cluster::Cluster;
use crate::connection::Connection;
use events::notification::Notifier;
use reconciler::Context;
use signals::Signals;
use tell::Teller;

/// What the controller is started with.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The one namespace that is watched and written.
    pub(crate) namespace: String,
    /// A folder that may be lost.
    pub(crate) cache: PathBuf,
    /// Where Prometheus asks.
    pub(crate) metrics_addr: SocketAddr,
    /// Where the kubelet asks.
    pub(crate) health_addr: SocketAddr,
    /// Flux's notification-controller, none if nobody is to be notified.
    pub(crate) events_addr: Option<String>,
    /// Tokens, exceptions, and the hosts that subscriptions may name.
    pub(crate) connection: Connection,
}

/// Runs until it is told to end (SIGTERM, SIGINT).
pub(crate) async fn run(settings: Settings) -> Result<()> {
    let client = Client::try_default().await.map_err(|e| {
        Failure::new("NoCluster", "connect to the API server")
            .cause(e)
            .hint("run it in a cluster, or set KUBECONFIG")
    })?;
    let cluster = Cluster::new(client, Handle::current(), &settings.namespace);
    let signals = Signals::new();
    serve(&settings, &signals).await?;
    let notifier = settings.events_addr.map(Notifier::start).transpose().map_err(internal)?;
    let (news, heard) = tokio::sync::mpsc::unbounded_channel();
    let health = Arc::clone(&signals.health);
    let (cache, connection) = (settings.cache, settings.connection);
    let context =
        Arc::new(Context::new(cluster.clone(), cache, connection, news, signals, Teller::new(notifier)));
    tracing::info!(namespace = settings.namespace, version = env!("CARGO_PKG_VERSION"), "watching");
    watches::controller(&cluster, heard, health)
        .shutdown_on_signal()
        .run(reconciler::reconcile, reconciler::after_error, context)
        .for_each(|outcome| async move {
            if let Err(error) = outcome {
                tracing::warn!(%error, "a pass ended early");
            }
        })
        .await;
    Ok(())
}

/// Figures and health are served until the process ends.
async fn serve(settings: &Settings, signals: &Signals) -> Result<()> {
    let metrics = health::listen("metrics", settings.metrics_addr).await?;
    let asked = health::listen("health", settings.health_addr).await?;
    let forever = std::future::pending::<()>;
    tokio::spawn(health::serve_metrics(metrics, Arc::clone(&signals.metrics), forever()));
    tokio::spawn(health::serve_health(asked, Arc::clone(&signals.health), forever()));
    Ok(())
}
