//! Where the database is: a file, or an address of PostgreSQL.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use pdp_transport::cli::Failure;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, PgPool, SqlitePool};

use super::Either;

/// What an address of PostgreSQL may carry behind its `?`. sqlx would pass over others with a line in the log.
const PARAMETERS: [&str; 5] = ["sslmode", "sslrootcert", "sslcert", "sslkey", "host"];

/// A place as it was given.
#[derive(Clone)]
pub(crate) enum Place {
    File(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

impl Place {
    /// Reads what was given as `--database`.
    ///
    /// # Errors
    /// `BadAddress`; it names what is wrong, never the address, in which a password may stand.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let Some((scheme, _)) = text.split_once("://") else { return Ok(Self::File(text.into())) };
        let bad = |cause: String| {
            Failure::new("BadAddress", "--database").cause(cause).hint(
                "give a file, or postgres://user@host:port/name?sslmode=verify-full&sslrootcert=ca.pem; \
                 the password comes from PGPASSWORD or ~/.pgpass",
            )
        };
        if !matches!(scheme, "postgres" | "postgresql") {
            return Err(bad("an address starts with postgres://".to_owned()));
        }
        let query = text.split_once('?').map_or("", |(_, query)| query);
        for name in query.split('&').filter_map(|pair| pair.split('=').next()).filter(|name| !name.is_empty())
        {
            if !PARAMETERS.contains(&name) {
                return Err(bad(format!("unknown parameter; there are {}", PARAMETERS.join(", "))));
            }
        }
        let options = PgConnectOptions::from_str(text);
        let options = options.map_err(|_| bad("it can't be read as an address".to_owned()))?;
        Ok(Self::Postgres(Box::new(careful(options))))
    }

    /// The file, none for PostgreSQL.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(file) => Some(file),
            Self::Postgres(_) => None,
        }
    }

    /// Connects; makes the file if it isn't there and `make` says so.
    pub(super) async fn connect(&self, make: bool) -> sqlx::Result<Either<SqlitePool, PgPool>> {
        Ok(match self {
            Self::File(file) => Either::Sqlite(sqlite(file, make).await?),
            Self::Postgres(options) => Either::Postgres(postgres(options).await?),
        })
    }
}

/// Without a word on TLS it is TLS with a checked name, unless the database is on this machine.
fn careful(options: PgConnectOptions) -> PgConnectOptions {
    // An IPv6 address stands in brackets in an address, and nowhere else.
    let host = options.get_host().trim_matches(['[', ']']).to_owned();
    let options = options.host(&host);
    let loopback = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    let here = options.get_socket().is_some() || host.starts_with('/') || loopback;
    match options.get_ssl_mode() {
        PgSslMode::Allow | PgSslMode::Prefer if !here => options.ssl_mode(PgSslMode::VerifyFull),
        _ => options,
    }
}

async fn sqlite(file: &Path, make: bool) -> sqlx::Result<SqlitePool> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(make)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .journal_mode(SqliteJournalMode::Wal)
        // A start that was granted must not be forgotten by a power cut.
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    SqlitePoolOptions::new()
        .max_connections(4)
        .test_before_acquire(false)
        // A transaction whose commit the disk refused is over for SQLite, which rolls it back by itself, but open for
        // sqlx, which would never begin another one on that connection.
        .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
        .connect_with(options)
        .await
}

async fn postgres(options: &PgConnectOptions) -> sqlx::Result<PgPool> {
    let options = options
        .clone()
        .application_name("channel-server")
        .options([
            // A server that hangs while it holds the log's lock loses it before the others give up.
            ("idle_in_transaction_session_timeout", "5s"),
            ("statement_timeout", "7s"),
            // What was answered is on disk, whatever the database's own setting.
            ("synchronous_commit", "on"),
            // A server that is gone without a word is noticed.
            ("tcp_keepalives_idle", "10"),
            ("tcp_keepalives_interval", "5"),
            ("tcp_keepalives_count", "3"),
        ])
        .disable_statement_logging();
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(Duration::from_secs(5))
        // A connection that went dead without a word would keep its place until TCP gives up.
        .after_release(|connection, _| {
            Box::pin(async {
                let alive = tokio::time::timeout(Duration::from_secs(2), connection.ping()).await;
                alive.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(|()| true)
            })
        });
    pool.connect_with(options).await
}

/// What derives it would show the password.
impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::fmt::Display for Place {
    /// Without any password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(file) => write!(f, "database {}", file.display()),
            Self::Postgres(at) => {
                let name = at.get_database().unwrap_or_else(|| at.get_username());
                write!(f, "database {name} on {}:{}", at.get_host(), at.get_port())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn what_is_no_scheme_is_a_file_and_no_error_shows_a_password() {
        assert_eq!(Place::parse("server.db").unwrap().file(), Some(Path::new("server.db")));
        for wrong in [
            "mysql://ada:hunter2@host/name",
            "postgres://ada:hunter2@host:port/name",
            "postgres://ada@host/name?passwort=hunter2",
        ] {
            let failure = Place::parse(wrong).unwrap_err();
            assert!(failure.code == "BadAddress" && !failure.to_string().contains("hunter2"), "{failure}");
        }
        let place = Place::parse("postgres://ada:hunter2@db.example/updates").unwrap();
        assert_eq!(place.to_string(), "database updates on db.example:5432");
        assert_eq!(format!("{place:?}"), place.to_string());
    }

    #[test]
    fn over_a_network_it_is_tls_with_a_checked_name_unless_somebody_says_otherwise() {
        for (address, mode) in [
            ("postgres://ada@db.example/updates", "VerifyFull"),
            ("postgres://ada@db.example/updates?sslmode=require", "Require"),
            ("postgres://ada@db.example/updates?sslmode=disable", "Disable"),
            ("postgres://ada@127.0.0.1/updates", "Prefer"),
            ("postgres://ada@localhost/updates", "Prefer"),
            ("postgres://ada@[::1]/updates", "Prefer"),
        ] {
            let Place::Postgres(options) = Place::parse(address).unwrap() else { panic!("{address}") };
            assert_eq!(format!("{:?}", options.get_ssl_mode()), mode, "{address}");
        }
    }
}
