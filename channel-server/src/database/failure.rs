//! What the database's errors mean to the operator, and to whoever asked.

use pdp_transport::cli::Failure;
use sqlx::migrate::MigrateError;

use super::Place;

// SQLite's primary result codes: https://www.sqlite.org/rescode.html
const BUSY: i32 = 5;
const READ_ONLY: i32 = 8;
const IO: i32 = 10;
const FULL: i32 = 13;
const CANT_OPEN: i32 = 14;

/// The database doesn't answer, or not now.
pub(crate) const AWAY: &str = "DatabaseUnavailable";

/// What is wrong.
enum Trouble {
    Busy,
    ReadOnly,
    Full,
    /// The disk, which may be full, too.
    Disk,
    /// Name or password.
    Login,
    /// There is no such database.
    Missing,
    /// It can't be reached, or not now.
    Away,
    Other,
}

fn trouble(error: &sqlx::Error) -> Trouble {
    let Some(database) = error.as_database_error() else {
        return match error {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut => Trouble::Away,
            _ => Trouble::Other,
        };
    };
    let code = database.code().unwrap_or_default();
    if database.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        // SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
        return match code.as_ref() {
            "25006" => Trouble::ReadOnly,
            "53100" => Trouble::Full,
            "28000" | "28P01" => Trouble::Login,
            "3D000" => Trouble::Missing,
            code if ["08", "53", "57"].iter().any(|class| code.starts_with(class)) => Trouble::Away,
            _ => Trouble::Other,
        };
    }
    match code.parse::<i32>().map(|code| code & 0xff) {
        Ok(BUSY) => Trouble::Busy,
        Ok(READ_ONLY | CANT_OPEN) => Trouble::ReadOnly,
        Ok(FULL) => Trouble::Full,
        Ok(IO) => Trouble::Disk,
        _ => Trouble::Other,
    }
}

/// The code that a client sees when a write failed: nothing was counted, try again later.
pub(crate) fn write_code(error: &sqlx::Error) -> &'static str {
    match trouble(error) {
        Trouble::Full | Trouble::Disk => "DatabaseFull",
        Trouble::ReadOnly => "DatabaseReadOnly",
        _ => AWAY,
    }
}

/// Why it can't be opened.
pub(super) fn opening(place: &Place, error: &sqlx::Error) -> Failure {
    let fail = |code, hint: &str| Failure::new(code, place.to_string()).cause(error).hint(hint);
    match trouble(error) {
        Trouble::Busy => fail("DatabaseBusy", "another program holds it; wait until it is done"),
        Trouble::ReadOnly => fail(
            "DatabaseReadOnly",
            "the server needs to write to it: check owner, mode and mount of the file and its folder, or whether \
             PostgreSQL is a standby",
        ),
        Trouble::Full => fail("DatabaseFull", "free some space; nothing was lost"),
        Trouble::Login => fail("LoginNeeded", "check user and password (PGPASSWORD, ~/.pgpass)"),
        Trouble::Missing => fail("NotFound", "create it: `createdb` with the user as its owner"),
        Trouble::Away => fail(AWAY, "does it run? check host, port, TLS and network"),
        Trouble::Disk | Trouble::Other => unreadable(place, &error.to_string()),
    }
}

/// Why its schema can't be brought up to date.
pub(super) fn migrating(place: &Place, error: MigrateError) -> Failure {
    match error {
        MigrateError::VersionMissing(version) => Failure::new("DatabaseTooNew", place.to_string())
            .cause(format!("its schema has version {version}, which this server doesn't know"))
            .hint("run the newer server, or restore the backup from before its first start"),
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => opening(place, &error),
        other => unreadable(place, &other.to_string()),
    }
}

fn unreadable(place: &Place, cause: &str) -> Failure {
    Failure::new("DatabaseUnreadable", place.to_string())
        .cause(cause)
        .hint("is it the right one? restore a backup if it is damaged")
}
