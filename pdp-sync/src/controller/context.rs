//! What all reconciles share, and what is remembered of each subscription.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kube::Api;
use kube::runtime::reflector::Store;
use pdp_transport::cli::failure::Result;

use super::metrics::Subscription as Label;
use super::news_feed::News;
use super::signals::{Remembered, Signals};
use super::surroundings::Surroundings;
use super::tell::Teller;
use super::watches::Guarded;
use crate::changes::Changes;
use crate::cluster::Cluster;
use crate::connection::Connection;
use crate::fetch::LastCatalog;
use crate::flux::Memory;
use crate::images;

/// What the cluster says of itself is asked for again after this long.
const SURROUNDINGS_AGE: Duration = Duration::from_secs(600);

/// What all reconciles share.
pub(super) struct Context {
    pub(super) cluster: Cluster,
    pub(super) cache: PathBuf,
    pub(super) connection: Connection,
    pub(super) news: News,
    pub(super) signals: Signals,
    pub(super) teller: Teller,
    pub(super) changes: Arc<Changes>,
    /// All subscriptions of the namespace.
    pub(super) all: Store<Guarded>,
    surroundings: Mutex<Option<(Instant, Surroundings)>>,
    entries: Mutex<HashMap<String, Arc<Entry>>>,
}

/// What is remembered of one subscription. All of it may be lost.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) last: Arc<LastCatalog>,
    pub(super) images: Arc<images::Seen>,
    pub(super) memory: Memory,
    pub(super) remembered: Remembered,
    pub(super) waiting: Arc<AtomicBool>,
}

impl Context {
    #[expect(clippy::too_many_arguments, reason = "all that reconciles share comes together here")]
    pub(super) fn new(
        cluster: Cluster,
        cache: PathBuf,
        connection: Connection,
        news: News,
        signals: Signals,
        teller: Teller,
        changes: Arc<Changes>,
        all: Store<Guarded>,
    ) -> Self {
        let (surroundings, entries) = Default::default();
        Self { cluster, cache, connection, news, signals, teller, changes, all, surroundings, entries }
    }

    pub(super) fn label(&self, name: &str) -> Label {
        Label { name: name.to_owned(), namespace: self.cluster.namespace.clone() }
    }

    pub(super) fn entry(&self, name: &str) -> Arc<Entry> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(entries.entry(name.to_owned()).or_default())
    }

    pub(super) fn surroundings(&self) -> Result<Surroundings> {
        let mut kept = self.surroundings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = kept.as_ref().filter(|(since, _)| since.elapsed() < SURROUNDINGS_AGE) {
            return Ok(known.clone());
        }
        let known = Surroundings::read(&self.cluster)?;
        *kept = Some((Instant::now(), known.clone()));
        Ok(known)
    }

    pub(super) fn forget_surroundings(&self) {
        *self.surroundings.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A subscription was deleted.
    pub(super) fn forget(&self, name: &str) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        self.signals.forget(&self.label(name));
    }

    pub(super) fn api(&self) -> Api<Guarded> {
        Api::namespaced(self.cluster.client.clone(), &self.cluster.namespace)
    }
}
