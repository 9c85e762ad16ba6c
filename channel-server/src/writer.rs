//! The one way to write: alone, on the newest state. Lock, catch up, decide, record.
//!
//! Several servers may share one log. Whoever holds a [`Writer`] has read all that was ever appended, and nobody else
//! appends until it ends; so what is decided under it holds for all of them.

use pdp_policies::report::Report;
use pdp_policies::{At, Digest, PdpId};
use tokio::sync::MutexGuard;

use crate::database::{self, Transaction};
use crate::event::{Actor, Event};
use crate::following::{Lost, Position};
use crate::server::Server;

/// The right to write. Dropped without recording, nothing was written.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    server: &'a Server,
    position: MutexGuard<'a, Position>,
    transaction: Transaction,
    /// True if reports were refused for a while before: the log shall say so.
    listens_anew: bool,
}

/// A write that failed: nothing was changed, in memory neither.
#[derive(Debug)]
pub(crate) struct WriteFailed {
    /// The stable code.
    pub(crate) code: &'static str,
}

impl Server {
    /// Waits for its turn, then reads what others appended.
    ///
    /// # Errors
    /// When the database is away, or its log isn't the one that was read before.
    pub(crate) async fn write(&self) -> Result<Writer<'_>, WriteFailed> {
        // Whoever waited needn't find out for themselves, one after the other, that the database is away.
        self.can_write()?;
        let mut position = self.position.lock().await;
        self.can_write()?;
        match self.turn(&mut position).await {
            Ok(transaction) => {
                let listens_anew = self.outage.is_long(self.now());
                Ok(Writer { server: self, position, transaction, listens_anew })
            }
            Err(lost) => Err(self.lose(&lost)),
        }
    }

    fn can_write(&self) -> Result<(), WriteFailed> {
        match self.lost.load().as_deref() {
            Some(code) => {
                self.metrics.write_failed();
                Err(WriteFailed { code })
            }
            None => Ok(()),
        }
    }

    async fn turn(&self, position: &mut Position) -> Result<Transaction, Lost> {
        let mut transaction = self.database.write().await.map_err(Lost::Away)?;
        self.catch_up(&mut transaction, position).await?;
        Ok(transaction)
    }

    fn lose(&self, lost: &Lost) -> WriteFailed {
        self.note(Some(lost));
        self.metrics.write_failed();
        WriteFailed { code: lost.code() }
    }

    /// Begins to read what memory doesn't hold.
    ///
    /// # Errors
    /// When the database is away.
    pub(crate) async fn read(&self) -> Result<Transaction, WriteFailed> {
        self.database.read().await.map_err(|e| self.failed(&e))
    }

    /// Logs why the database refused; the client learns the code only.
    pub(crate) fn failed(&self, error: &sqlx::Error) -> WriteFailed {
        let code = database::write_code(error);
        tracing::error!(%error, code, "the database refused; nothing was counted");
        self.metrics.write_failed();
        WriteFailed { code }
    }

    /// As [`Server::failed`], for a write; no report would have been taken either.
    fn refused_a_write(&self, error: sqlx::Error) -> WriteFailed {
        self.outage.begins(self.now());
        let failed = self.failed(&error);
        // Whoever waits for a turn needn't find out for themselves.
        if failed.code == database::AWAY {
            self.note(Some(&Lost::Away(error)));
        }
        failed
    }
}

impl Writer<'_> {
    /// Writes events down, and what was kept before, then lets them take effect. Nothing has happened until this returns.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) async fn record(self, actor: &Actor, events: &[Event]) -> Result<(), WriteFailed> {
        let now = self.server.now();
        self.finish(now, actor, events).await.map(|_| ())
    }

    /// As [`Writer::record`], together with a report.
    ///
    /// # Errors
    /// As there.
    pub(crate) async fn record_report(
        mut self,
        pdp: &PdpId,
        report: Report,
        envelope: &str,
        hash: Digest,
        events: &[Event],
    ) -> Result<(), WriteFailed> {
        let server = self.server;
        // Whoever enrolled by another server's clock reports after that all the same.
        let enrolled = server.fleet().planes.get(pdp).map(|plane| plane.enrolled);
        let now = enrolled.map_or(server.now(), |enrolled| enrolled.max(server.now()));
        // A number that nobody reaches by counting was forged; the next one doesn't exist.
        let version = self.position.reports.saturating_add(1);
        let stored = self.transaction.store_report(&report, envelope, now, version).await;
        stored.map_err(|e| server.refused_a_write(e))?;
        let mut position = self.finish(now, &Actor::DataPlane(pdp.clone()), events).await?;
        position.reports = version;
        server.hear(report, now, hash);
        Ok(())
    }

    /// What was kept under a name.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) async fn kept(&mut self, name: &'static str) -> Result<Option<String>, WriteFailed> {
        self.transaction.kept(name).await.map_err(|e| self.server.failed(&e))
    }

    /// Keeps a value under a name, together with what is recorded afterwards.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) async fn keep(&mut self, name: &'static str, value: &str) -> Result<(), WriteFailed> {
        self.transaction.keep(name, value).await.map_err(|e| self.server.refused_a_write(e))
    }

    /// Drops what was kept under a name.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) async fn forget(&mut self, name: &'static str) -> Result<(), WriteFailed> {
        self.transaction.forget(name).await.map_err(|e| self.server.refused_a_write(e))
    }
}

impl<'a> Writer<'a> {
    async fn finish(
        self,
        now: At,
        actor: &Actor,
        events: &[Event],
    ) -> Result<MutexGuard<'a, Position>, WriteFailed> {
        let Self { server, mut position, mut transaction, listens_anew } = self;
        let refused = |error: sqlx::Error| server.refused_a_write(error);
        let anew = if listens_anew { vec![Event::ListensAnew {}] } else { Vec::new() };
        let head =
            transaction.append(position.head, server.now(), &Actor::Server, &anew).await.map_err(refused)?;
        let head = transaction.append(head, now, actor, events).await.map_err(refused)?;
        transaction.commit().await.map_err(refused)?;
        // Nothing waits from here on: whoever drops this future doesn't part what is written from what took effect.
        server.outage.ends();
        for event in events {
            let subject = event.subject();
            tracing::info!(%actor, subject, event = ?event, "recorded");
        }
        server.take_effect(server.now(), &anew);
        server.take_effect(now, events);
        position.head = head;
        Ok(position)
    }
}
