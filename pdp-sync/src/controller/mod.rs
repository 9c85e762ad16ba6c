//! What a Kubernetes controller owes to its surroundings. The pass itself is the same as everywhere: `reconcile.rs`.

mod conditions;
mod handled;
mod health;
mod metrics;
mod news_feed;
mod reconciler;
mod resolve;
mod status;
mod surroundings;
mod watches;

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::StreamExt;
use kube::Client;
use pdp_transport::cli::failure::{Failure, Result};
use tokio::runtime::Handle;

use crate::cluster::Cluster;
use reconciler::Context;

/// What the controller is started with.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The one namespace that is watched and written.
    pub(crate) namespace: String,
    /// A folder that may be lost.
    pub(crate) cache: PathBuf,
}

/// Runs until it is told to end (SIGTERM, SIGINT).
pub(crate) async fn run(settings: Settings) -> Result<()> {
    let client = Client::try_default().await.map_err(|e| {
        Failure::new("NoCluster", "connect to the API server")
            .cause(e)
            .hint("run it in a cluster, or set KUBECONFIG")
    })?;
    let cluster = Cluster::new(client, Handle::current(), &settings.namespace);
    let (news, heard) = tokio::sync::mpsc::unbounded_channel();
    let context = Arc::new(Context::new(cluster.clone(), settings.cache, news));
    tracing::info!(namespace = settings.namespace, version = env!("CARGO_PKG_VERSION"), "watching");
    watches::controller(&cluster, heard)
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
