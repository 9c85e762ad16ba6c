//! Following the vendor's catalog: fetched from Git, judged from the pinned root like any data plane would.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pdp_policies::trust::{self, Catalog, Floors, Judged, Verified};
use pdp_policies::{Refusal, report};
use pdp_transport::Error;
use pdp_transport::catalog::{CATALOG_BRANCH, from_branch};
use pdp_transport::cli::clock;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::git::GitOptions;

use crate::event::{Actor, Event};
use crate::server::Server;
use crate::writer::WriteFailed;

/// Hints come from anybody: they are heard at most this often.
const HINT_PAUSE: Duration = Duration::from_secs(1);

/// Where the catalog is.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) url: String,
    pub(crate) cache: PathBuf,
    pub(crate) git: GitOptions,
    /// How often it is looked at without a hint.
    pub(crate) interval: Duration,
}

/// What was last seen, so that only changes are written down.
#[derive(Debug)]
pub(crate) struct Follower {
    source: Source,
    floors: Floors,
    /// The floors as they are kept in the database, with all servers' news.
    kept: Option<String>,
    seen: Option<report::CatalogVersions>,
    refused: Option<Refusal>,
}

impl Follower {
    pub(crate) fn new(source: Source, floors: Floors, kept: Option<String>) -> Self {
        Self { source, floors, kept, seen: None, refused: None }
    }

    /// Runs until the server stops.
    pub(crate) async fn follow(mut self, server: Arc<Server>) {
        loop {
            let looked = tokio::time::Instant::now();
            match self.look(&server).await {
                Ok(()) => server.metrics.catalog_followed(),
                Err(failure) => {
                    server.metrics.catalog_failed();
                    tracing::warn!(code = failure.code, "the catalog can't be followed now: {failure}");
                }
            }
            tokio::select! {
                () = server.hint.notified() => tokio::time::sleep_until(looked + HINT_PAUSE).await,
                () = tokio::time::sleep(self.source.interval) => {}
                () = server.until_stopping() => return,
            }
        }
    }

    /// Fetches, judges, and takes it over if it is the vendor's. What is refused changes nothing.
    pub(crate) async fn look(&mut self, server: &Server) -> Result<()> {
        let (source, floors) = (self.source.clone(), self.floors.clone());
        let judged =
            tokio::task::spawn_blocking(move || fetch(&source, &floors)).await.map_err(internal)??;
        match judged {
            Judged::FetchFirst(refusal) | Judged::Refused(refusal) => {
                if self.refused.as_ref() != Some(&refusal) {
                    let (code, detail) = (refusal.code.to_string(), refusal.detail.clone());
                    note(server, Event::CatalogRefused { code, detail }).await.map_err(unwritten)?;
                    self.refused = Some(refusal.clone());
                }
                Err(refusal.into())
            }
            Judged::Trusted(catalog, floors) => {
                if (floors.worth_saving(&self.floors) || self.seen.is_none())
                    && !self.save(server, &floors).await?
                {
                    server.hint.notify_one();
                    return Ok(());
                }
                self.take_over(server, *catalog, floors).await
            }
        }
    }

    async fn take_over(&mut self, server: &Server, catalog: Verified<Catalog>, floors: Floors) -> Result<()> {
        let versions = catalog.versions();
        let known = self
            .seen
            .is_some_and(|seen| (seen.channels, seen.targets) == (versions.channels, versions.targets));
        server.catalog.store(Some(Arc::new(catalog)));
        if !known {
            let (channels, targets) = (versions.channels, versions.targets);
            note(server, Event::CatalogFollowed { channels, targets }).await.map_err(unwritten)?;
        }
        (self.floors, self.seen, self.refused) = (floors, Some(versions), None);
        server.due.notify_one();
        Ok(())
    }

    /// False if another server saw more meanwhile: its floors count from now on.
    async fn save(&mut self, server: &Server, floors: &Floors) -> Result<bool> {
        let mut writer = server.write().await.map_err(unwritten)?;
        let kept = writer.kept("floors").await.map_err(unwritten)?;
        if let Some(others) = kept.as_ref().filter(|_| kept != self.kept) {
            self.floors = serde_json::from_str(others).map_err(internal)?;
            self.kept = kept;
            return Ok(false);
        }
        let text = serde_json::to_string(floors).map_err(internal)?;
        writer.keep("floors", &text).await.map_err(unwritten)?;
        writer.record(&Actor::Server, &[]).await.map_err(unwritten)?;
        self.kept = Some(text);
        Ok(true)
    }
}

/// Writes it down, unless another server already did.
async fn note(server: &Server, event: Event) -> std::result::Result<(), WriteFailed> {
    let writer = server.write().await?;
    if server.fleet().catalog.as_ref() == Some(&event) {
        return Ok(());
    }
    writer.record(&Actor::Server, &[event]).await
}

fn unwritten(failed: WriteFailed) -> Failure {
    Failure::new(failed.code, "the catalog's news can't be written down")
}

fn fetch(source: &Source, floors: &Floors) -> std::result::Result<Judged, Error> {
    let load = || from_branch(&source.url, CATALOG_BRANCH, &source.cache, source.git.clone());
    trust::catalog_from(load, floors, clock::now()).map(|(judged, _)| judged)
}
