//! The SQLite file: opened once for writing, every change one transaction, the event log a hash chain.

mod events;
mod kept;
mod reports;
mod tokens;

use std::path::Path;

use pdp_policies::At;
use pdp_transport::cli::Failure;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Sqlite, SqliteConnection, Transaction};

pub(crate) use events::Chain;
pub(crate) use tokens::TokenRow;

/// All versions of the schema; a file that knows more was written by a newer server.
const MIGRATIONS: [(i64, &str, &str); 1] = [(1, "first", include_str!("../../migrations/1_first.sql"))];

/// The open file.
#[derive(Debug)]
pub(crate) struct Database {
    connection: SqliteConnection,
    options: SqliteConnectOptions,
}

impl Database {
    /// Opens the file and brings its schema up to date.
    ///
    /// # Errors
    /// `DatabaseReadOnly`, `DatabaseTooNew`, `DatabaseFull`, `DatabaseUnreadable`.
    pub(crate) async fn open(path: &Path) -> Result<Self, Failure> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .busy_timeout(std::time::Duration::from_secs(5))
            .journal_mode(SqliteJournalMode::Wal)
            // A start that was granted must not be forgotten by a power cut.
            .synchronous(SqliteSynchronous::Full)
            .disable_statement_logging();
        let fail = |error: sqlx::Error| failure(path, &error);
        let mut connection = options.connect().await.map_err(fail)?;
        let migrations = MIGRATIONS.map(|(version, name, sql)| {
            let sql = sqlx::SqlSafeStr::into_sql_str(sql);
            Migration::new(version, name.into(), MigrationType::Simple, sql, false)
        });
        let migrated = Migrator::with_migrations(migrations.into()).run(&mut connection).await;
        migrated.map_err(|error| match error {
            MigrateError::VersionMissing(version) => too_new(path, version),
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failure(path, &error),
            other => unreadable(path, &other.to_string()),
        })?;
        // A read-only file opens well; only writing shows it.
        let probe = sqlx::query("DELETE FROM kept WHERE name = 'probe'").execute(&mut connection).await;
        probe.map_err(fail)?;
        Ok(Self { connection, options })
    }

    /// Begins a transaction.
    ///
    /// One whose commit the disk refused is over for SQLite, which rolls it back by itself, but open for sqlx, which
    /// would never begin another one: a new connection is.
    async fn begin(&mut self) -> sqlx::Result<Transaction<'_, Sqlite>> {
        if self.connection.is_in_transaction() {
            self.connection = self.options.connect().await?;
        }
        self.connection.begin_with("BEGIN IMMEDIATE").await
    }

    /// Closes the file, so that nothing is left in its log.
    pub(crate) async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the database didn't close cleanly");
        }
    }
}

fn too_new(path: &Path, version: i64) -> Failure {
    Failure::new("DatabaseTooNew", format!("database {}", path.display()))
        .cause(format!("its schema has version {version}, which this server doesn't know"))
        .hint("run the newer server, or restore the backup from before its first start")
}

fn unreadable(path: &Path, cause: &str) -> Failure {
    Failure::new("DatabaseUnreadable", format!("database {}", path.display()))
        .cause(cause)
        .hint("is it the right file? restore a backup if it is damaged")
}

/// What an SQLite error means to the operator.
fn failure(path: &Path, error: &sqlx::Error) -> Failure {
    let what = format!("database {}", path.display());
    match code_of(error) {
        Some(READ_ONLY | CANT_OPEN) => Failure::new("DatabaseReadOnly", what)
            .cause(error)
            .hint("the server needs to write the file and its folder: check owner, mode and mount"),
        Some(FULL) => {
            Failure::new("DatabaseFull", what).cause(error).hint("free some space; nothing was lost")
        }
        Some(BUSY) => Failure::new("DatabaseBusy", what)
            .cause(error)
            .hint("another program holds it; wait until it is done"),
        _ => unreadable(path, &error.to_string()),
    }
}

// Primary result codes: https://www.sqlite.org/rescode.html
const BUSY: i32 = 5;
const READ_ONLY: i32 = 8;
const IO: i32 = 10;
const FULL: i32 = 13;
const CANT_OPEN: i32 = 14;

fn code_of(error: &sqlx::Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

/// The code that a client sees when a write failed: nothing was counted, try again later.
pub(crate) fn write_code(error: &sqlx::Error) -> &'static str {
    match code_of(error) {
        Some(FULL | IO) => "DatabaseFull",
        Some(READ_ONLY | CANT_OPEN) => "DatabaseReadOnly",
        _ => "DatabaseUnavailable",
    }
}

/// Times are stored as Unix milliseconds.
fn millis(at: At) -> i64 {
    at.unix() * 1000
}

fn from_millis(millis: i64) -> At {
    At::from_unix(millis / 1000)
}
