//! Following the log: what was appended, by whichever server, takes effect here in its order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pdp_policies::Digest;
use pdp_transport::cli::Failure;
use pdp_transport::cli::clock;

use crate::database::{self, Chain, Logged, REPORTS_AT_ONCE, StoredReport, Transaction};
use crate::event::{Actor, Event};
use crate::server::Server;
use crate::writer::WriteFailed;

/// A word may be missed, so the log is looked at at least this often.
const LOOK: Duration = Duration::from_secs(1);
/// So often it is tried whether a database that refused a write takes them again.
const TRY: Duration = Duration::from_secs(5);
/// Servers go by the database's clock; one that differs from it by more has to be put right first (milliseconds).
const CLOCKS_DIFFER: i64 = 60_000;
/// What a measurement may be off by, or an answer may take (milliseconds).
const MEASURED: i64 = 500;

/// How far this server has read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    /// The newest row of the log that took effect here.
    pub(crate) head: Chain,
    /// The highest version of a report that was heard here.
    pub(crate) reports: i64,
}

/// Why the log can't be followed.
#[derive(Debug)]
pub(crate) enum Lost {
    /// The database doesn't answer.
    Away(sqlx::Error),
    /// Something isn't what was written after what was before, or what was read before is gone.
    Forked(String),
    /// A row that this server doesn't understand: a newer one wrote it.
    Unknown(i64, serde_json::Error),
    /// The clocks of server and database differ by so many milliseconds.
    Clocks(i64),
}

/// Runs until the server stops.
pub(crate) async fn follow(server: Arc<Server>) {
    let mut tried = Instant::now();
    loop {
        tokio::select! {
            () = server.word.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
            () = server.until_stopping() => return,
        }
        let looked = server.look().await;
        server.note(looked.err().as_ref());
        if server.outage.is_on() && tried.elapsed() >= TRY {
            tried = Instant::now();
            // Why it fails is in the log already.
            let _ = server.try_to_write().await;
        }
    }
}

/// Passes on that others appended something; runs until the server stops.
pub(crate) async fn listen(server: Arc<Server>) {
    tokio::select! {
        () = server.database.listen(&server.word) => {}
        () = server.until_stopping() => {}
    }
}

impl Position {
    /// Before the first row.
    pub(crate) fn start() -> Self {
        Self { head: Chain::start(), reports: 0 }
    }

    /// The event of the row that follows.
    fn take(&mut self, row: &Logged) -> Result<Event, Lost> {
        let head = self.head.follow(row).ok_or_else(|| Lost::forked_at(row.seq))?;
        let event = serde_json::from_str(&row.body).map_err(|error| Lost::Unknown(row.seq, error))?;
        self.head = head;
        Ok(event)
    }
}

impl Server {
    /// Reads what others appended, without the right to write.
    ///
    /// # Errors
    /// When the database is away, or its log isn't the one that was read before.
    pub(crate) async fn look(&self) -> Result<(), Lost> {
        let mut position = self.position.lock().await;
        // What kept writers waiting may be the log's lock: only who gets it knows that it is free again.
        let begun = match self.lost.load().as_deref() == Some(&database::AWAY) {
            true => self.database.write().await,
            false => self.database.read().await,
        };
        let mut transaction = begun.map_err(Lost::Away)?;
        self.compare_clocks(&mut transaction).await?;
        self.catch_up(&mut transaction, &mut position).await
    }

    async fn compare_clocks(&self, transaction: &mut Transaction) -> Result<(), Lost> {
        let before = clock::millis();
        let Some(there) = transaction.clock().await.map_err(Lost::Away)? else { return Ok(()) };
        let after = clock::millis();
        // Tests that move the clock mean it.
        if clock::is_moved() {
            return Ok(());
        }
        let ahead = there.saturating_sub(before.midpoint(after));
        if ahead.saturating_abs() > CLOCKS_DIFFER.saturating_add(after - before) {
            return Err(Lost::Clocks(ahead));
        }
        if after - before <= MEASURED {
            self.shared_clock.set(ahead);
        }
        Ok(())
    }

    /// Takes in all that was appended since.
    pub(crate) async fn catch_up(
        &self,
        transaction: &mut Transaction,
        position: &mut Position,
    ) -> Result<(), Lost> {
        let known = position.head;
        // What was read last is read again: a database that went back must not be written on.
        let mut stands = known == Chain::start();
        let walked = transaction.walk(known.seq - 1, |row| {
            if row.seq == known.seq {
                stands = row.hash == known.head.hex();
            } else if stands {
                let event = position.take(row)?;
                self.take_effect(row.time(), &[event]);
                self.outage.others_wrote(row.time());
            }
            if stands { Ok(()) } else { Err(Lost::forked_at(row.seq)) }
        });
        walked.await.map_err(Lost::Away)??;
        if !stands {
            return Err(Lost::forked_at(known.seq));
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
            let Some(last) = reports.last() else {
                // The newest is overwritten by newer ones only.
                let gone = || {
                    Lost::Forked(format!(
                        "report {} is gone: the database went back; a restart reads what is left",
                        position.reports
                    ))
                };
                return if position.reports == 0 { Ok(()) } else { Err(gone()) };
            };
            let known = std::mem::replace(&mut position.reports, last.version);
            let is_last_page = reports.len() < REPORTS_AT_ONCE;
            for StoredReport { version, report, received } in reports {
                let Some(report) = report else { continue };
                if version != known || !self.fleet().has_heard(&report, received) {
                    self.outage.others_wrote(received);
                    // The hash only tells a repeated request from a new report; it isn't stored.
                    self.hear(report, received, Digest::of(b""));
                }
            }
            if is_last_page {
                return Ok(());
            }
        }
    }

    /// Where everybody has fallen silent nobody else would find out that reports are taken again, and silence would never
    /// count.
    async fn try_to_write(&self) -> Result<(), WriteFailed> {
        let mut writer = self.write().await?;
        writer.keep("tried", &self.now().to_string()).await?;
        writer.record(&Actor::Server, &[]).await
    }

    /// Notes whether the log can be followed, and says so when that changes. While it can't, nobody tries to write.
    pub(crate) fn note(&self, lost: Option<&Lost>) {
        let now = lost.map(Lost::code);
        let before = self.lost.swap(now.map(Arc::new));
        if lost.is_some() {
            self.outage.begins(self.now());
        }
        if before.as_deref().copied() == now {
            return;
        }
        match lost {
            Some(lost) => tracing::error!(code = lost.code(), "the event log can't be followed: {lost}"),
            None => tracing::info!("the event log is followed again"),
        }
    }
}

impl Lost {
    fn forked_at(seq: i64) -> Self {
        Self::Forked(format!("event {seq} isn't what was written, or one before it is gone"))
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Away(error) => database::write_code(error),
            Self::Forked(_) => "LogForked",
            Self::Unknown(..) => "LogUnknown",
            Self::Clocks(_) => "ClockSkew",
        }
    }
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Away(error) => write!(f, "the database doesn't answer: {error}"),
            Self::Forked(what) => f.write_str(what),
            Self::Unknown(seq, error) => write!(f, "event {seq} was written by a newer server: {error}"),
            Self::Clocks(ahead) => write!(f, "the database's clock is {ahead} ms ahead of this server's"),
        }
    }
}

impl From<Lost> for Failure {
    fn from(lost: Lost) -> Self {
        let hint = match &lost {
            Lost::Away(_) => "does the database run?",
            Lost::Forked(_) => "`channel-server verify-events` says where; restore a backup",
            Lost::Unknown(..) => "run the newer server",
            Lost::Clocks(_) => "set both by NTP",
        };
        Self::new(lost.code(), "the event log").cause(lost).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use pdp_policies::At;

    use super::*;

    #[test]
    fn a_row_that_only_a_newer_server_knows_isnt_passed_over() {
        let (mut position, at) = (Position::start(), At::from_unix(1));
        let row = |body: &str| Chain::start().next(at, "server", "acme", body).1;
        let Err(Lost::Unknown(1, _)) = position.take(&row("{\"moonLanded\":{}}")) else { panic!("unknown") };
        assert_eq!(position.head, Chain::start(), "it isn't behind us");
        let followed = row("{\"catalogFollowed\":{\"channels\":1,\"targets\":1}}");
        assert_eq!(position.take(&followed).unwrap(), Event::CatalogFollowed { channels: 1, targets: 1 });
        assert!(matches!(position.take(&followed), Err(Lost::Forked(_))), "the same row twice");
    }
}
