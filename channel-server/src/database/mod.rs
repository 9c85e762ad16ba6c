//! The database: an SQLite file for one server, PostgreSQL for several. Every change is one transaction, the event log
//! a hash chain.
//!
//! Nobody decides on old news: [`Database::write`] takes the log's lock, so that the writer reads what others appended,
//! decides, and appends before anybody else does.

mod events;
mod failure;
mod kept;
mod listener;
mod place;
mod reports;
mod seen;
mod tokens;

use std::time::Duration;

use pdp_policies::At;
use pdp_transport::cli::Failure;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{PgPool, Postgres, Sqlite, SqlitePool};

pub(crate) use events::{Chain, Logged};
pub(crate) use failure::{AWAY, write_code};
pub(crate) use kept::RESTORED;
pub(crate) use place::Place;
pub(crate) use reports::{PAGE as REPORTS_AT_ONCE, StoredReport};
pub(crate) use tokens::TokenRow;

/// All versions of the schema; a database that knows more was written by a newer server.
const SQLITE: &[(i64, &str, &str)] = &[
    (1, "first", include_str!("../../migrations/sqlite/1_first.sql")),
    (2, "versions", include_str!("../../migrations/sqlite/2_versions.sql")),
    (3, "envelopes", include_str!("../../migrations/sqlite/3_envelopes.sql")),
];
const POSTGRES: &[(i64, &str, &str)] = &[
    (1, "first", include_str!("../../migrations/postgres/1_first.sql")),
    (2, "envelopes", include_str!("../../migrations/postgres/2_envelopes.sql")),
];

/// No statement keeps anybody waiting for longer: a database that doesn't answer is away.
const LONGEST_STATEMENT: Duration = Duration::from_secs(8);
/// The log's lock, a number of our own among PostgreSQL's advisory locks.
const LOG_LOCK: i64 = 0x7064_706c_6f67;

/// Said in full: neither the database's defaults nor a transaction that somebody left half begun may change what is read
/// after the wait for the log's lock.
const WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// One of two databases.
#[derive(Debug, Clone)]
enum Either<S, P> {
    Sqlite(S),
    Postgres(P),
}

/// The open database.
#[derive(Debug, Clone)]
pub(crate) struct Database(Either<SqlitePool, PgPool>);

/// Statements that happen together or not at all. Dropped without [`Transaction::commit`], nothing happened.
#[derive(Debug)]
pub(crate) struct Transaction {
    at: Either<sqlx::Transaction<'static, Sqlite>, sqlx::Transaction<'static, Postgres>>,
    /// True if others shall hear of it.
    is_news: bool,
}

/// A statement within its time on either database, which read its text alike.
macro_rules! on {
    ($transaction:expr, $connection:ident => $statement:expr) => {
        match &mut $transaction.at {
            $crate::database::Either::Sqlite(transaction) => {
                let $connection = &mut **transaction;
                $crate::database::bounded($statement).await
            }
            $crate::database::Either::Postgres(transaction) => {
                let $connection = &mut **transaction;
                $crate::database::bounded($statement).await
            }
        }
    };
}

/// Rows as tuples.
macro_rules! rows {
    ($transaction:expr, $sql:expr $(, $value:expr)*) => {
        on!($transaction, connection => sqlx::query_as($sql)$(.bind($value))*.fetch_all(connection))
    };
}

/// A statement without rows: how many it changed.
macro_rules! execute {
    ($transaction:expr, $sql:expr $(, $value:expr)*) => {
        on!($transaction, connection => async {
            sqlx::query($sql)$(.bind($value))*.execute(connection).await.map(|done| done.rows_affected())
        })
    };
}

use {execute, on, rows};

impl Database {
    /// Opens the database to read from it: nothing is made or changed.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub(crate) async fn open_to_read(place: &Place) -> Result<Self, Failure> {
        if place.file().is_some_and(|file| !file.exists()) {
            return Err(Failure::new("NotFound", place.to_string()).hint("is it the right file?"));
        }
        place.connect(false).await.map(Self).map_err(|error| failure::opening(place, &error))
    }

    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// `DatabaseReadOnly`, `DatabaseTooNew`, `DatabaseFull`, `DatabaseUnreadable`, `DatabaseUnavailable`.
    pub(crate) async fn open(place: &Place) -> Result<Self, Failure> {
        let fail = |error: sqlx::Error| failure::opening(place, &error);
        let database = Self(place.connect(true).await.map_err(fail)?);
        let migrated = match &database.0 {
            Either::Sqlite(pool) => migrations(SQLITE).run(pool).await,
            Either::Postgres(pool) => migrations(POSTGRES).run(pool).await,
        };
        migrated.map_err(|error| failure::migrating(place, error))?;
        // A read-only database opens well; only writing shows it.
        let mut transaction = database.write().await.map_err(fail)?;
        execute!(transaction, "DELETE FROM kept WHERE name = 'probe'").map_err(fail)?;
        transaction.commit().await.map_err(fail)?;
        Ok(database)
    }

    /// True if other servers may write to it, too.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.0, Either::Postgres(_))
    }

    /// Begins to read; all that is read is of one moment.
    pub(crate) async fn read(&self) -> sqlx::Result<Transaction> {
        self.begin("BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    /// Begins to write, alone: until this transaction ends, nobody else appends to the log.
    pub(crate) async fn write(&self) -> sqlx::Result<Transaction> {
        let mut transaction = self.begin("BEGIN IMMEDIATE", WRITE).await?;
        if self.is_shared() {
            execute!(transaction, "SELECT pg_advisory_xact_lock($1)", LOG_LOCK)?;
        }
        Ok(transaction)
    }

    async fn begin(&self, sqlite: &'static str, postgres: &'static str) -> sqlx::Result<Transaction> {
        let begun = match &self.0 {
            Either::Sqlite(pool) => Either::Sqlite(bounded(pool.begin_with(sqlite)).await?),
            Either::Postgres(pool) => Either::Postgres(bounded(pool.begin_with(postgres)).await?),
        };
        Ok(Transaction { at: begun, is_news: false })
    }

    /// Closes all connections, so that nothing is left in SQLite's write-ahead log.
    pub(crate) async fn close(self) {
        let closed = bounded(async {
            match self.0 {
                Either::Sqlite(pool) => pool.close().await,
                Either::Postgres(pool) => pool.close().await,
            }
            Ok(())
        });
        if let Err(error) = closed.await {
            tracing::warn!(%error, "the database didn't close cleanly");
        }
    }
}

impl Transaction {
    /// Makes it so, and wakes whoever listens for news.
    pub(crate) async fn commit(mut self) -> sqlx::Result<()> {
        if self.is_news {
            self.notify().await?;
        }
        match self.at {
            Either::Sqlite(transaction) => bounded(transaction.commit()).await,
            Either::Postgres(transaction) => bounded(transaction.commit()).await,
        }
    }
}

async fn bounded<T>(statement: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    let timed_out = |_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
    tokio::time::timeout(LONGEST_STATEMENT, statement).await.map_err(timed_out)?
}

fn migrations(versions: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
        let sql = sqlx::SqlSafeStr::into_sql_str(*sql);
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations(versions.iter().map(migration).collect())
}

/// Times are stored as Unix milliseconds.
fn millis(at: At) -> i64 {
    at.unix() * 1000
}

fn from_millis(millis: i64) -> At {
    At::from_unix(millis / 1000)
}
