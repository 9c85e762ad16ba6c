//! PostgreSQL's word that another server appended something.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;

use super::{Database, Either, Transaction, bounded, execute, on};

/// The channel of `NOTIFY`.
const CHANNEL: &str = "pdp_log";
/// So long after a connection was lost, another one is tried.
const AGAIN: Duration = Duration::from_secs(1);

/// Listens for others.
#[derive(Debug)]
pub(crate) struct Listener {
    pool: PgPool,
    open: Option<PgListener>,
}

impl Database {
    /// A listener; none if nobody else can append.
    pub(crate) fn listener(&self) -> Option<Listener> {
        match &self.0 {
            Either::Sqlite(_) => None,
            Either::Postgres(pool) => Some(Listener { pool: pool.clone(), open: None }),
        }
    }
}

impl Transaction {
    /// Wakes all listeners once this is committed.
    pub(super) async fn notify(&mut self) -> sqlx::Result<()> {
        match &self.0 {
            Either::Sqlite(_) => Ok(()),
            Either::Postgres(_) => execute!(self, "SELECT pg_notify($1, '')", CHANNEL).map(|_| ()),
        }
    }
}

impl Listener {
    /// Comes back with the next word. May miss some while the database is away: look now and then, too.
    pub(crate) async fn heard(&mut self) {
        loop {
            let open = match &mut self.open {
                Some(open) => open,
                None => match bounded(listen(&self.pool)).await {
                    // What was said before is no news any more, but nobody has looked at it yet.
                    Ok(open) => {
                        self.open = Some(open);
                        return;
                    }
                    Err(_) => {
                        tokio::time::sleep(AGAIN).await;
                        continue;
                    }
                },
            };
            match open.try_recv().await {
                Ok(Some(_)) => return,
                Ok(None) | Err(_) => self.open = None,
            }
        }
    }
}

async fn listen(pool: &PgPool) -> sqlx::Result<PgListener> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}
