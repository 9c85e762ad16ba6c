//! What all parts share: the fleet in memory, the database, the vendor's catalog, the director's key.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex as Short, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use arc_swap::ArcSwapOption;
use pdp_policies::report::Report;
use pdp_policies::rollout::Clock;
use pdp_policies::trust::{Catalog, Freshness, Verified};
use pdp_policies::{At, Channel, Digest, KeyState, Level, ObstacleCode};
use pdp_transport::cli::clock;
use pdp_transport::signing_key::SigningKey;
use sigstore_types::DerPublicKey;
use tokio::sync::{Mutex, Notify, Semaphore, watch};

use crate::database::Database;
use crate::event::Event;
use crate::fleet::Fleet;
use crate::following::Position;
use crate::metrics::Metrics;
use crate::news::News;
use crate::outage::Outage;
use crate::refusals::Lines;
use crate::shared_clock::SharedClock;

/// So many API tokens are looked up at once.
const LOOKUPS: usize = 3;

/// The server's state. Writing goes through [`Server::write`], one at a time: decide under it, then record.
#[derive(Debug)]
pub(crate) struct Server {
    fleet: RwLock<Fleet>,
    /// The vendor's catalog as it was verified last.
    pub(crate) catalog: ArcSwapOption<Verified<Catalog>>,
    pub(crate) database: Database,
    /// Who may look up API tokens at once.
    pub(crate) lookups: Semaphore,
    /// Wakes whoever follows the log.
    pub(crate) word: Notify,
    /// How far the fleet has followed the log.
    pub(crate) position: Mutex<Position>,
    /// Signs assignments and ring state.
    pub(crate) director: SigningKey,
    /// Its public half.
    director_key: Option<DerPublicKey>,
    /// What changed for data planes: long polls wake on it.
    pub(crate) news: News,
    /// True once the server is stopping.
    pub(crate) stopping: watch::Sender<bool>,
    /// Wakes the rollouts' driver.
    pub(crate) due: Notify,
    /// Wakes the follower of the catalog.
    pub(crate) hint: Notify,
    /// True while the event log is behind what was published: nothing is granted then.
    pub(crate) behind: AtomicBool,
    /// Why the log can't be followed now, if others may append to it: a stable code.
    pub(crate) lost: ArcSwapOption<&'static str>,
    pub(crate) metrics: Metrics,
    /// The log's lines about those who aren't enrolled.
    pub(crate) strangers: Short<Lines>,
    /// Since when reports can come in: nobody is silent before.
    listening: At,
    pub(crate) outage: Outage,
    pub(crate) shared_clock: SharedClock,
}

impl Server {
    /// A server that has read nothing yet.
    pub(crate) fn new(database: Database, director: SigningKey) -> Self {
        Self {
            fleet: RwLock::default(),
            catalog: ArcSwapOption::empty(),
            database,
            lookups: Semaphore::new(LOOKUPS),
            word: Notify::new(),
            position: Mutex::new(Position::start()),
            director_key: DerPublicKey::from_pem(&director.public_pem()).ok(),
            director,
            news: News::new(),
            stopping: watch::Sender::new(false),
            due: Notify::new(),
            hint: Notify::new(),
            behind: false.into(),
            lost: ArcSwapOption::empty(),
            metrics: Metrics::default(),
            strangers: Short::default(),
            listening: clock::now(),
            outage: Outage::default(),
            shared_clock: SharedClock::default(),
        }
    }

    /// The fleet for reading; never held across an await.
    pub(crate) fn fleet(&self) -> RwLockReadGuard<'_, Fleet> {
        self.fleet.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn fleet_mut(&self) -> RwLockWriteGuard<'_, Fleet> {
        self.fleet.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was written down takes effect.
    pub(crate) fn take_effect(&self, at: At, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        // Whoever hasn't read what another server follows looks at once.
        if events.iter().any(|event| matches!(event, Event::CatalogFollowed { .. })) {
            self.hint.notify_one();
        }
        let mut fleet = self.fleet_mut();
        events.iter().for_each(|event| fleet.apply(at, event));
        drop(fleet);
        self.news.tell(events);
        self.due.notify_one();
    }

    /// A report that was stored takes effect.
    pub(crate) fn hear(&self, report: Report, received: At, hash: Digest) {
        self.fleet_mut().hear(report, received, hash);
        self.due.notify_one();
    }

    /// The time, by the clock that all servers share.
    pub(crate) fn now(&self) -> At {
        self.shared_clock.now()
    }

    /// The time, and since when reports have been coming in.
    pub(crate) fn clock(&self, fleet: &Fleet, now: At) -> Clock {
        let since = fleet.listens_anew.map_or(self.listening, |at| at.max(self.listening));
        // While the database refuses them nobody is to blame.
        Clock { now, listening: if self.outage.is_long(now) { now } else { since } }
    }

    /// Comes back once the server is stopping.
    pub(crate) async fn until_stopping(&self) {
        let mut stopping = self.stopping.subscribe();
        let _ = stopping.wait_for(|stop| *stop).await;
    }

    /// False if another catalog was followed last, by another server: this one may lack a brake, or have another plan.
    pub(crate) fn follows_newest(&self, catalog: &Catalog, fleet: &Fleet) -> bool {
        let own = catalog.versions();
        fleet.followed.is_none_or(|followed| followed == (own.channels, own.targets))
    }

    /// True if a catalog lists this server's key as one that directs. Every data plane refuses what others say.
    pub(crate) fn directs(&self, catalog: &Catalog) -> bool {
        let key = self.director_key.as_ref();
        key.is_some_and(|key| catalog.director_keys().state_of(key) == Some(KeyState::Active))
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
        let behind = !self.follows_newest(catalog, fleet) || self.behind.load(Relaxed);
        (behind || fleet.everything.is_some()).then_some(ObstacleCode::Halted)
    }
}
