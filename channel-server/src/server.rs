//! What all parts share: the fleet in memory, the database, the vendor's catalog, the director's key.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};
use std::sync::{Mutex as Short, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use arc_swap::ArcSwapOption;
use pdp_policies::report::Report;
use pdp_policies::rollout::Clock;
use pdp_policies::trust::{Catalog, Freshness, Verified};
use pdp_policies::{At, Channel, Digest, Level, ObstacleCode};
use pdp_transport::cli::clock;
use pdp_transport::signing_key::SigningKey;
use tokio::sync::{Mutex, Notify, Semaphore, watch};

use crate::database::{self, Database};
use crate::event::Event;
use crate::fleet::Fleet;
use crate::following::{Lost, Position};
use crate::metrics::Metrics;
use crate::news::News;
use crate::refusals::Lines;
use crate::writer::WriteFailed;

/// So many API tokens are looked up at once.
const LOOKUPS: usize = 3;
/// An outage that data planes bridge by trying again (seconds).
const SHORT_OUTAGE: i64 = 30;
/// A clock that goes back by up to this (seconds) was measured anew; one that goes back further was set.
const TREMBLING: i64 = 2;
/// Two clocks that differ by less are the same (milliseconds).
const CLOCK_ERROR: i64 = 50;

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
    /// Since when the database has refused what would have been written, Unix seconds; 0 if it takes it.
    refusing: AtomicI64,
    /// The last time that was given out, Unix seconds.
    last: AtomicI64,
    /// What has to be added to this machine's clock to get the database's, milliseconds.
    clock_offset: AtomicI64,
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
            refusing: 0.into(),
            last: 0.into(),
            clock_offset: 0.into(),
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
        let now = match self.clock_offset.load(Relaxed) {
            0 => clock::now().unix(),
            offset => (clock::millis() + offset).div_euclid(1000),
        };
        // A measurement's error must not date an answer before the one that a data plane has already.
        let last = self.last.swap(now, Relaxed);
        let trembles = (1..=TREMBLING).contains(&(last - now));
        if trembles {
            self.last.fetch_max(last, Relaxed);
        }
        At::from_unix(if trembles { last } else { now })
    }

    /// Somebody's write is in the log that came after this server was refused one: the outage was its own alone, or is
    /// over. It excuses nobody, as data planes go to another server.
    pub(crate) fn others_wrote(&self, at: At) {
        let since = self.refusing.load(Relaxed);
        if since != 0 && at.unix() > since {
            self.reports_are_taken();
        }
    }

    /// The database's clock is so many milliseconds ahead. What is within a measurement's error changes nothing, so that
    /// time doesn't tremble.
    pub(crate) fn set_clock(&self, ahead: i64) {
        if (ahead - self.clock_offset.load(Relaxed)).abs() > CLOCK_ERROR {
            self.clock_offset.store(ahead, Relaxed);
        }
    }

    /// The time, and since when reports have been coming in.
    pub(crate) fn clock(&self, fleet: &Fleet, now: At) -> Clock {
        let since = fleet.listens_anew.map_or(self.listening, |at| at.max(self.listening));
        // While the database refuses them nobody is to blame.
        let refusing = self.reports_refused_since(now).is_some();
        Clock { now, listening: if refusing { now } else { since } }
    }

    /// Reports can't be taken now.
    pub(crate) fn reports_are_refused(&self) {
        let _ = self.refusing.compare_exchange(0, self.now().unix(), Relaxed, Relaxed);
    }

    /// Reports are taken again.
    pub(crate) fn reports_are_taken(&self) {
        self.refusing.store(0, Relaxed);
    }

    /// True since the database refused something, until it takes something.
    pub(crate) fn is_refusing_reports(&self) -> bool {
        self.refusing.load(Relaxed) != 0
    }

    /// True if reports were refused for so long that silence says nothing.
    pub(crate) fn were_reports_refused(&self) -> bool {
        self.reports_refused_since(self.now()).is_some()
    }

    fn reports_refused_since(&self, now: At) -> Option<At> {
        let since = self.refusing.load(Relaxed);
        (since != 0 && now.unix() - since >= SHORT_OUTAGE).then(|| At::from_unix(since))
    }

    /// As [`Server::failed`]; no report would have been taken either.
    pub(crate) fn refused_a_write(&self, error: sqlx::Error) -> WriteFailed {
        self.reports_are_refused();
        let failed = self.failed(&error);
        // Whoever waits for a turn needn't find out for themselves.
        if failed.code == database::AWAY {
            self.note(Some(&Lost::Away(error)));
        }
        failed
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
