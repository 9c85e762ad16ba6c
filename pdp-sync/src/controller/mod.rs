//! What a Kubernetes controller owes to its surroundings. The pass itself is the same as everywhere: `reconcile.rs`.

mod components;
mod conditions;
mod context;
mod elder;
mod events;
mod finalizer;
mod handled;
mod health;
mod history;
mod metrics;
mod news_feed;
mod own_status;
mod passes;
mod reconciler;
mod resolve;
mod signals;
mod status;
mod storage_version;
mod surroundings;
mod tell;
mod unreadable;
mod watches;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::StreamExt;
use kube::Client;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::{Error, block_on, driving};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

use crate::changes::Changes;
use crate::cluster::Cluster;
use crate::connection::Connection;
use context::Context;
pub(crate) use elder::Siblings;
use events::notification::Notifier;
use passes::Due;
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
    /// None outside a cluster.
    pub(crate) siblings: Option<Siblings>,
}

/// Runs until it is told to end (SIGTERM, SIGINT): the watches say which subscription is due, this thread makes the
/// passes.
pub(crate) fn run(settings: Settings) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(16).build();
    let runtime = Rc::new(runtime.map_err(|e| Error::io("start a runtime", &e))?);
    let ended = driving(&runtime, || {
        let siblings = settings.siblings.clone();
        let (context, due, watching) = block_on(start(settings))??;
        if let Some(siblings) = siblings {
            block_on(elder::gone(&context.cluster, &siblings))?;
        }
        passes::run(due, |name| reconciler::reconcile(name, &context))?;
        block_on(watching)?.map_err(internal)
    });
    // A long poll may go on for a minute; nothing of it matters any more.
    if let Some(runtime) = Rc::into_inner(runtime) {
        runtime.shutdown_background();
    }
    ended
}

/// Connects, serves figures and health, and begins to watch.
async fn start(settings: Settings) -> Result<(Context, UnboundedReceiver<Due>, JoinHandle<()>)> {
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
    let changes = Arc::new(Changes::of(watches::TELLING));
    let (controller, all) = watches::controller(&cluster, heard, health, &changes);
    tracing::info!(namespace = settings.namespace, version = env!("CARGO_PKG_VERSION"), "watching");
    let (requests, due) = tokio::sync::mpsc::unbounded_channel();
    let outcomes =
        controller.shutdown_on_signal().run(passes::request, reconciler::after_error, Arc::new(requests));
    let watching = tokio::spawn(outcomes.for_each(async |outcome| {
        if let Err(error) = outcome {
            tracing::warn!(%error, "a pass ended early");
        }
    }));
    let teller = Teller::new(notifier);
    let context = Context::new(cluster, cache, connection, news, signals, teller, changes, all);
    Ok((context, due, watching))
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
