//! PostgreSQL's word that another server appended something.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::Notify;

use super::{Database, Either, Transaction, bounded, execute, on};

/// The channel of `NOTIFY`.
const CHANNEL: &str = "pdp_log";
/// So long after a connection was lost, another one is tried.
const AGAIN: Duration = Duration::from_secs(1);
/// A connection that went dead without a word never says so: it is replaced now and then.
const RENEW: Duration = Duration::from_secs(300);

impl Database {
    /// Passes on PostgreSQL's words, for ever. Some are missed while the database is away, and several may be passed on
    /// as one: look now and then, too, and at everything.
    pub(crate) async fn listen(&self, word: &Notify) {
        let Either::Postgres(pool) = &self.0 else { return std::future::pending().await };
        loop {
            let _ = tokio::time::timeout(RENEW, pass_on(pool, word)).await;
            tokio::time::sleep(AGAIN).await;
        }
    }
}

impl Transaction {
    /// Wakes all listeners once this is committed.
    pub(super) async fn notify(&mut self) -> sqlx::Result<()> {
        match &self.at {
            Either::Sqlite(_) => Ok(()),
            Either::Postgres(_) => execute!(self, "SELECT pg_notify($1, '')", CHANNEL).map(|_| ()),
        }
    }

    /// The database's clock, Unix milliseconds; none for a file.
    pub(crate) async fn clock(&mut self) -> sqlx::Result<Option<i64>> {
        match &mut self.at {
            Either::Sqlite(_) => Ok(None),
            Either::Postgres(transaction) => {
                let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
                bounded(sqlx::query_scalar(sql).fetch_one(&mut **transaction)).await.map(Some)
            }
        }
    }
}

/// Ends when the connection is lost.
async fn pass_on(pool: &PgPool, word: &Notify) -> sqlx::Result<()> {
    let mut listener = bounded(PgListener::connect_with(pool)).await?;
    listener.eager_reconnect(false);
    bounded(listener.listen(CHANNEL)).await?;
    // What was said before isn't heard here, so somebody has to look.
    word.notify_one();
    while listener.try_recv().await?.is_some() {
        word.notify_one();
    }
    Ok(())
}
