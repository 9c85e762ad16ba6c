//! The one way to write: alone, on the newest state. Lock, catch up, decide, record.
//!
//! Several servers may share one log. Whoever holds a [`Writer`] has read all that was ever appended, and nobody else
//! appends until it ends; so what is decided under it holds for all of them.

use pdp_policies::report::Report;
use pdp_policies::{At, Digest, PdpId};
use pdp_transport::cli::Failure;
use pdp_transport::cli::clock;
use tokio::sync::MutexGuard;

use crate::database::{self, Chain, StoredReport, Transaction};
use crate::event::{Actor, Event};
use crate::server::Server;

/// How far this server has read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    /// The newest row of the log that took effect here.
    pub(crate) head: Chain,
    /// The highest version of a report that was heard here.
    pub(crate) reports: i64,
}

impl Position {
    /// Before the first row.
    pub(crate) fn start() -> Self {
        Self { head: Chain::start(), reports: 0 }
    }
}

/// The right to write. Dropped without recording, nothing was written.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    server: &'a Server,
    position: MutexGuard<'a, Position>,
    transaction: Transaction,
}

/// Why the log can't be followed.
#[derive(Debug)]
pub(crate) enum Lost {
    /// The database doesn't answer.
    Away(sqlx::Error),
    /// A row isn't what was written after the one before, or what was read before is gone.
    Forked(i64),
    /// A row that this server doesn't understand: a newer one wrote it.
    Unknown(i64, serde_json::Error),
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
        let mut position = self.position.lock().await;
        // Whoever waited here needn't find out for themselves, one after the other, that the database is away.
        if let Some(code) = self.lost.load().as_deref() {
            self.metrics.write_failed();
            return Err(WriteFailed { code });
        }
        match self.turn(&mut position).await {
            Ok(transaction) => Ok(Writer { server: self, position, transaction }),
            Err(lost) => Err(self.lose(&lost)),
        }
    }

    async fn turn(&self, position: &mut Position) -> Result<Transaction, Lost> {
        let mut transaction = self.database.write().await.map_err(Lost::Away)?;
        self.catch_up(&mut transaction, position).await?;
        Ok(transaction)
    }

    fn lose(&self, lost: &Lost) -> WriteFailed {
        // Where nobody else writes, nobody looks whether it is back, but the next who writes.
        if self.database.is_shared() {
            self.note(Some(lost));
        } else {
            tracing::error!(code = lost.code(), "nothing is written or granted: {lost}");
        }
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

    /// Reads what others appended, without the right to write.
    ///
    /// # Errors
    /// As [`Server::write`].
    pub(crate) async fn look(&self) -> Result<(), Lost> {
        let mut position = self.position.lock().await;
        let mut transaction = self.database.read().await.map_err(Lost::Away)?;
        self.catch_up(&mut transaction, &mut position).await
    }

    async fn catch_up(&self, transaction: &mut Transaction, position: &mut Position) -> Result<(), Lost> {
        let known = position.head;
        // What was read last is read again: a database that went back must not be written on.
        let mut stands = known == Chain::start();
        let walked = transaction.walk(known.seq - 1, |row| {
            if row.seq == known.seq {
                stands = row.hash == known.head;
                return if stands { Ok(()) } else { Err(Lost::Forked(row.seq)) };
            }
            let head = position.head.follow(row).filter(|_| stands).ok_or(Lost::Forked(row.seq))?;
            let event = serde_json::from_str(&row.body).map_err(|error| Lost::Unknown(row.seq, error))?;
            self.take_effect(row.time(), &[event]);
            position.head = head;
            Ok(())
        });
        walked.await.map_err(Lost::Away)??;
        if !stands {
            return Err(Lost::Forked(known.seq));
        }
        self.catch_up_reports(transaction, position).await
    }

    /// After the log, so that those who wrote them are known.
    async fn catch_up_reports(
        &self,
        transaction: &mut Transaction,
        position: &mut Position,
    ) -> Result<(), Lost> {
        loop {
            let reports = transaction.reports(position.reports).await.map_err(Lost::Away)?;
            let Some(last) = reports.last() else { return Ok(()) };
            position.reports = last.version;
            for StoredReport { report, received, .. } in reports {
                // The hash only tells a repeated request from a new one; here the time does.
                report.into_iter().for_each(|report| self.hear(report, received, Digest::of(b"")));
            }
        }
    }

    /// Logs why a write failed; the client learns the code only.
    pub(crate) fn failed(&self, error: &sqlx::Error) -> WriteFailed {
        let code = database::write_code(error);
        tracing::error!(%error, code, "the database refused; nothing was counted");
        self.metrics.write_failed();
        WriteFailed { code }
    }
}

impl Writer<'_> {
    /// Writes events down, and what was kept before, then lets them take effect. Nothing has happened until this returns.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) async fn record(self, actor: &Actor, events: &[Event]) -> Result<(), WriteFailed> {
        self.finish(clock::now(), actor, events).await.map(|_| ())
    }

    /// As [`Writer::record`], together with a report.
    ///
    /// # Errors
    /// As there.
    pub(crate) async fn record_report(
        mut self,
        pdp: &PdpId,
        report: Report,
        hash: Digest,
        events: &[Event],
    ) -> Result<(), WriteFailed> {
        let (now, server, version) = (clock::now(), self.server, self.position.reports + 1);
        let stored = self.transaction.store_report(&report, now, version).await;
        stored.map_err(|e| server.failed(&e))?;
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
        self.transaction.keep(name, value).await.map_err(|e| self.server.failed(&e))
    }

    /// Drops what was kept under a name.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) async fn forget(&mut self, name: &'static str) -> Result<(), WriteFailed> {
        self.transaction.forget(name).await.map_err(|e| self.server.failed(&e))
    }
}

impl<'a> Writer<'a> {
    async fn finish(
        self,
        now: At,
        actor: &Actor,
        events: &[Event],
    ) -> Result<MutexGuard<'a, Position>, WriteFailed> {
        let Self { server, mut position, mut transaction } = self;
        let appended = transaction.append(position.head, now, actor, events).await;
        let head = appended.map_err(|e| server.failed(&e))?;
        transaction.commit().await.map_err(|e| server.failed(&e))?;
        // Nothing waits from here on: whoever drops this future doesn't part what is written from what took effect.
        position.head = head;
        for event in events {
            let subject = event.subject();
            tracing::info!(%actor, subject, event = ?event, "recorded");
        }
        server.take_effect(now, events);
        Ok(position)
    }
}

impl Lost {
    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Away(error) => database::write_code(error),
            Self::Forked(_) => "LogForked",
            Self::Unknown(..) => "LogUnknown",
        }
    }
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Away(error) => write!(f, "the database doesn't answer: {error}"),
            Self::Forked(seq) => write!(f, "event {seq} isn't what was written, or one before it is gone"),
            Self::Unknown(seq, error) => write!(f, "event {seq} was written by a newer server: {error}"),
        }
    }
}

impl From<Lost> for Failure {
    fn from(lost: Lost) -> Self {
        let hint = match &lost {
            Lost::Away(_) => "does the database run?",
            Lost::Forked(_) => "`channel-server verify-events` says where; restore a backup",
            Lost::Unknown(..) => "run the newer server",
        };
        Self::new(lost.code(), "the event log").cause(lost).hint(hint)
    }
}
