//! What all parts share: the fleet in memory, the one writer, the vendor's catalog, the director's key.

use std::sync::{Mutex as Short, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use arc_swap::ArcSwapOption;
use pdp_policies::report::Report;
use pdp_policies::rollout::Clock;
use pdp_policies::trust::{Catalog, Freshness, Verified};
use pdp_policies::{At, Channel, Digest, Level, ObstacleCode, PdpId};
use pdp_transport::cli::clock;
use pdp_transport::signing_key::SigningKey;
use tokio::sync::{Mutex, Notify, watch};

use crate::database::{self, Database};
use crate::event::{Actor, Event};
use crate::fleet::Fleet;
use crate::metrics::Metrics;
use crate::news::News;
use crate::refusals::Lines;

/// The server's state. Writing goes through [`Server::writer`], one at a time: decide under it, then record.
#[derive(Debug)]
pub(crate) struct Server {
    fleet: RwLock<Fleet>,
    /// The vendor's catalog as it was verified last.
    pub(crate) catalog: ArcSwapOption<Verified<Catalog>>,
    /// The only way to write. Whoever holds it sees the newest state.
    pub(crate) writer: Mutex<Database>,
    /// Signs assignments and ring state.
    pub(crate) director: SigningKey,
    /// What changed for data planes: long polls wake on it.
    pub(crate) news: News,
    /// True once the server is stopping.
    pub(crate) stopping: watch::Sender<bool>,
    /// Wakes the rollouts' driver.
    pub(crate) due: Notify,
    /// Wakes the follower of the catalog.
    pub(crate) hint: Notify,
    /// True while the event log is behind what was published: nothing is granted then.
    pub(crate) behind: std::sync::atomic::AtomicBool,
    pub(crate) metrics: Metrics,
    /// The log's lines about those who aren't enrolled.
    pub(crate) strangers: Short<Lines>,
    /// Since when reports can come in: nobody is silent before.
    listening: At,
}

/// A write that failed: nothing was changed, in memory neither.
#[derive(Debug)]
pub(crate) struct WriteFailed {
    /// The stable code.
    pub(crate) code: &'static str,
}

impl Server {
    pub(crate) fn new(fleet: Fleet, database: Database, director: SigningKey) -> Self {
        Self {
            fleet: RwLock::new(fleet),
            catalog: ArcSwapOption::empty(),
            writer: Mutex::new(database),
            director,
            news: News::new(),
            stopping: watch::Sender::new(false),
            due: Notify::new(),
            hint: Notify::new(),
            behind: false.into(),
            metrics: Metrics::default(),
            strangers: Short::default(),
            listening: clock::now(),
        }
    }

    /// The fleet for reading; never held across an await.
    pub(crate) fn fleet(&self) -> RwLockReadGuard<'_, Fleet> {
        self.fleet.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn fleet_mut(&self) -> RwLockWriteGuard<'_, Fleet> {
        self.fleet.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes events down, then lets them take effect. Nothing has happened until this returns.
    pub(crate) async fn record(
        &self,
        writer: &mut Database,
        actor: &Actor,
        events: &[Event],
    ) -> Result<(), WriteFailed> {
        if events.is_empty() {
            return Ok(());
        }
        let now = clock::now();
        writer.append(now, actor, events).await.map_err(|e| self.failed(&e))?;
        self.take_effect(now, actor, events);
        Ok(())
    }

    /// As [`Server::record`], together with a report.
    pub(crate) async fn record_report(
        &self,
        writer: &mut Database,
        pdp: &PdpId,
        report: Report,
        hash: Digest,
        events: &[Event],
    ) -> Result<(), WriteFailed> {
        let now = clock::now();
        writer.report(pdp, &report, now, events).await.map_err(|e| self.failed(&e))?;
        self.fleet_mut().hear(report, now, hash);
        self.take_effect(now, &Actor::DataPlane(pdp.clone()), events);
        Ok(())
    }

    fn take_effect(&self, now: At, actor: &Actor, events: &[Event]) {
        let mut fleet = self.fleet_mut();
        for event in events {
            let subject = event.subject();
            tracing::info!(%actor, subject, event = ?event, "recorded");
            fleet.apply(now, event);
        }
        drop(fleet);
        self.news.tell(events);
        self.due.notify_one();
    }

    /// The time, and since when this server has been listening.
    pub(crate) fn clock(&self, now: At) -> Clock {
        Clock { now, listening: self.listening }
    }

    /// Comes back once the server is stopping.
    pub(crate) async fn until_stopping(&self) {
        let mut stopping = self.stopping.subscribe();
        let _ = stopping.wait_for(|stop| *stop).await;
    }

    /// Logs why a write failed; the client learns the code only.
    pub(crate) fn failed(&self, error: &sqlx::Error) -> WriteFailed {
        let code = database::write_code(error);
        tracing::error!(%error, code, "the database refused; nothing was counted");
        self.metrics.write_failed();
        WriteFailed { code }
    }

    /// What keeps a level from starting anywhere, none if nothing does.
    pub(crate) fn brake(
        &self,
        catalog: &Catalog,
        channel: &Channel,
        level: Level,
        fleet: &Fleet,
        now: At,
    ) -> Option<ObstacleCode> {
        if channel.stop.is_some() {
            return Some(ObstacleCode::Stopped);
        }
        if channel.withdrawn.contains_key(&level) {
            return Some(ObstacleCode::Withdrawn);
        }
        if matches!(catalog.freshness(now), Freshness::Expired(_)) {
            return Some(ObstacleCode::CatalogExpired);
        }
        let behind = self.behind.load(std::sync::atomic::Ordering::Relaxed);
        (behind || fleet.everything.is_some()).then_some(ObstacleCode::Halted)
    }
}
