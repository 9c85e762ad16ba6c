//! Following the vendor's catalog: fetched from Git, judged from the pinned root like any data plane would.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pdp_policies::trust::{self, Catalog, Floors, Judged, Verified};
use pdp_policies::{At, Refusal, Span};
use pdp_transport::Error;
use pdp_transport::catalog::{CATALOG_BRANCH, from_git, no_branch};
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::git::{GitOptions, Remote};

use crate::event::{Actor, Event};
use crate::server::Server;
use crate::writer::WriteFailed;

/// Hints come from anybody: they are heard at most this often.
const HINT_PAUSE: Duration = Duration::from_secs(1);

/// That a refused catalog is followed again is told after this long: until then the same refusal isn't told twice. Whoever
/// holds the Git host can go to and fro with every look.
const REFUSED_FOR: Span = Span::from_seconds(3600);

/// Where the catalog is.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) url: String,
    pub(crate) cache: PathBuf,
    pub(crate) git: GitOptions,
    /// How often it is looked at without a hint.
    pub(crate) interval: Duration,
}

/// What was seen: nothing older is followed any more.
#[derive(Debug)]
pub(crate) struct Follower {
    source: Source,
    floors: Floors,
    /// True while the database doesn't hold these floors.
    unsaved: bool,
}

impl Follower {
    pub(crate) fn new(source: Source, floors: Floors) -> Self {
        Self { source, floors, unsaved: true }
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
        let (source, floors, now) = (self.source.clone(), self.floors.clone(), server.now());
        let judged =
            tokio::task::spawn_blocking(move || fetch(&source, &floors, now)).await.map_err(internal)??;
        match judged {
            Judged::FetchFirst(refusal, rooted) | Judged::Refused(refusal, rooted) => {
                self.unsaved |= rooted.worth_saving(&self.floors);
                self.floors = rooted;
                let saved = if self.unsaved { self.save(server, None).await } else { Ok(()) };
                note_refused(server, &refusal).await.map_err(unwritten)?;
                saved?;
                Err(refusal.into())
            }
            Judged::Trusted(catalog, floors) => self.take_over(server, *catalog, floors).await,
        }
    }

    /// In memory first: a stop that people signed holds also while the database takes no writes.
    async fn take_over(&mut self, server: &Server, catalog: Verified<Catalog>, floors: Floors) -> Result<()> {
        self.unsaved |= floors.worth_saving(&self.floors);
        self.floors = floors;
        let versions = catalog.versions();
        let directed = server.catalog.load().as_ref().map(|catalog| server.directs(catalog));
        tell_director(directed, server.directs(&catalog));
        server.catalog.store(Some(Arc::new(catalog)));
        server.due.notify_one();
        let followed = (versions.channels, versions.targets);
        if self.unsaved || is_news(server, followed) {
            self.save(server, Some(followed)).await?;
        }
        Ok(())
    }

    /// Writes down the floors, and what is followed now, unless another server has seen more: its floors count here, too.
    async fn save(&mut self, server: &Server, followed: Option<(u64, u64)>) -> Result<()> {
        let mut writer = server.write().await.map_err(unwritten)?;
        if let Some(kept) = writer.kept("floors").await.map_err(unwritten)? {
            let others: Floors = serde_json::from_str(&kept).map_err(internal)?;
            if !self.floors.covers(&others) {
                if others.covers(&self.floors) {
                    (self.floors, self.unsaved) = (others, false);
                }
                server.hint.notify_one();
                return Err(Failure::new("CatalogBehind", "another server has seen a newer catalog")
                    .hint("does this server read an old copy? it looks again at once"));
            }
        }
        let text = serde_json::to_string(&self.floors).map_err(internal)?;
        writer.keep("floors", &text).await.map_err(unwritten)?;
        let new = followed.filter(|followed| is_news(server, *followed));
        let event = |(channels, targets)| Event::CatalogFollowed { channels, targets };
        let events: Vec<_> = new.map(event).into_iter().collect();
        writer.record(&Actor::Server, &events).await.map_err(unwritten)?;
        self.unsaved = false;
        Ok(())
    }
}

/// Said at the start and whenever it changes: `before` is what the catalog before said of this server's key.
fn tell_director(before: Option<bool>, directs: bool) {
    match (before, directs) {
        (None | Some(true), false) => tracing::error!(
            code = "DirectorNotListed",
            "the catalog doesn't list this server's key as a director's: it says and grants nothing"
        ),
        (Some(false), true) => tracing::info!("the catalog lists this server's key as a director's now"),
        _ => {}
    }
}

/// Other versions than those that were followed last, or the same ones again after a refusal.
fn is_news(server: &Server, followed: (u64, u64)) -> bool {
    let fleet = server.fleet();
    let refused = fleet.refused_catalog.as_ref().map(|(at, _)| *at);
    fleet.followed != Some(followed) || is_over(refused, server.now())
}

/// True once a refusal was told long enough ago.
fn is_over(refused: Option<At>, now: At) -> bool {
    refused.is_some_and(|at| now.seconds_since(at) >= REFUSED_FOR.seconds())
}

/// Once for each reason until the catalog is followed again, however many servers see it.
async fn note_refused(server: &Server, refusal: &Refusal) -> std::result::Result<(), WriteFailed> {
    let code = refusal.code.to_string();
    // By its code: what else it says has times in it, and each server's own numbers.
    let is_known = || server.fleet().refused_catalog.as_ref().is_some_and(|(_, known)| *known == code);
    if is_known() {
        return Ok(());
    }
    let writer = server.write().await?;
    if is_known() {
        return Ok(());
    }
    let detail = refusal.detail.clone();
    writer.record(&Actor::Server, &[Event::CatalogRefused { code, detail }]).await
}

fn unwritten(failed: WriteFailed) -> Failure {
    Failure::new(failed.code, "the catalog's news can't be written down")
}

fn fetch(source: &Source, floors: &Floors, now: At) -> std::result::Result<Judged, Error> {
    let remote = Remote::open(&source.url, &source.cache, source.git.clone())?;
    let load = || {
        let found = from_git(&remote, CATALOG_BRANCH)?;
        found.map(|(_, tree)| tree).ok_or_else(|| no_branch(&remote, CATALOG_BRANCH))
    };
    trust::catalog_from(load, floors, now).map(|(judged, _)| judged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_over_after_an_hour_and_none_never_was() {
        let at = At::from_unix;
        for (refused, now, expected) in [
            (None, 9999, false),
            (Some(0), 0, false),
            (Some(0), 3599, false),
            (Some(0), 3600, true),
            (Some(3600), 0, false),
        ] {
            assert_eq!(is_over(refused.map(at), at(now)), expected, "{refused:?} {now}");
        }
    }
}
