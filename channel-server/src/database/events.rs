//! The event log: append-only, each row hashed together with the one before.

use pdp_policies::{At, Digest};
use sqlx::{Row, SqliteConnection};

use super::{Database, from_millis, millis};
use crate::event::{Actor, Event};

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Logged {
    /// Position, from 1.
    pub(crate) seq: i64,
    /// Unix milliseconds.
    pub(crate) at: i64,
    pub(crate) actor: String,
    pub(crate) subject: String,
    /// The event as JSON, exactly as it was hashed.
    pub(crate) body: String,
    pub(crate) hash: Digest,
}

impl Logged {
    /// When it was written.
    pub(crate) fn time(&self) -> At {
        from_millis(self.at)
    }

    /// SHA-256 over the hash before and the fields, each with its length, so that no two rows look alike.
    fn hash(before: &Digest, seq: i64, at: i64, [actor, subject, body]: [&str; 3]) -> Digest {
        let (actors, subjects, bodies) = (actor.len(), subject.len(), body.len());
        let text = format!(
            "{}\n{seq}\n{at}\n{actors}:{actor}\n{subjects}:{subject}\n{bodies}:{body}\n",
            before.hex()
        );
        Digest::of(text.as_bytes())
    }
}

/// The hash before the first row.
fn genesis() -> Digest {
    Digest::of(b"pdp channel server event log v1")
}

/// A walk along the chain: how far it is whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chain {
    /// Position of the last row that fits.
    pub(crate) seq: i64,
    /// Its hash.
    pub(crate) head: Digest,
}

impl Chain {
    /// Before the first row.
    pub(crate) fn start() -> Self {
        Self { seq: 0, head: genesis() }
    }

    /// One row on; none if it isn't what was written after the row before.
    pub(crate) fn follow(self, row: &Logged) -> Option<Self> {
        let expected = Logged::hash(&self.head, row.seq, row.at, [&row.actor, &row.subject, &row.body]);
        let fits = row.seq == self.seq + 1 && row.hash == expected;
        fits.then_some(Self { seq: row.seq, head: row.hash })
    }
}

/// So many rows are in memory at once when the whole log is read.
const PAGE: i64 = 10_000;

impl Database {
    /// Appends events in one transaction; all of them or none.
    pub(crate) async fn append(&mut self, at: At, actor: &Actor, events: &[Event]) -> sqlx::Result<()> {
        let mut transaction = self.begin().await?;
        append(&mut transaction, at, actor, events).await?;
        transaction.commit().await
    }

    /// Rows after `after`, at most `limit`, in order.
    pub(crate) async fn events(&mut self, after: i64, limit: i64) -> sqlx::Result<Vec<Logged>> {
        let rows = sqlx::query(
            "SELECT seq, at, actor, subject, body, hash FROM events WHERE seq > $1 ORDER BY seq LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&mut self.connection)
        .await?;
        rows.iter().map(read).collect()
    }

    /// Walks over the whole log, a page at a time, until `each` says that it has seen enough.
    pub(crate) async fn walk<E>(
        &mut self,
        mut each: impl FnMut(&Logged) -> Result<(), E>,
    ) -> sqlx::Result<Result<(), E>> {
        let mut after = 0;
        loop {
            let rows = self.events(after, PAGE).await?;
            let Some(last) = rows.last() else { return Ok(Ok(())) };
            after = last.seq;
            if let Err(enough) = rows.iter().try_for_each(&mut each) {
                return Ok(Err(enough));
            }
        }
    }

    /// Hash of the newest row.
    pub(crate) async fn head(&mut self) -> sqlx::Result<Digest> {
        Ok(head(&mut self.connection).await?.head)
    }

    /// True if the log ever had this head.
    pub(crate) async fn knows_head(&mut self, hash: &Digest) -> sqlx::Result<bool> {
        let found = sqlx::query("SELECT seq FROM events WHERE hash = $1").bind(hash.hex());
        Ok(*hash == genesis() || found.fetch_optional(&mut self.connection).await?.is_some())
    }
}

/// Appends within a transaction that also changes other tables.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    at: At,
    actor: &Actor,
    events: &[Event],
) -> sqlx::Result<()> {
    let head = head(connection).await?;
    let (mut seq, mut before, at) = (head.seq, head.head, millis(at));
    for event in events {
        seq += 1;
        let body = serde_json::to_string(event).map_err(|e| sqlx::Error::Encode(Box::new(e)))?;
        let (actor, subject) = (actor.to_string(), event.subject());
        before = Logged::hash(&before, seq, at, [&actor, &subject, &body]);
        sqlx::query(
            "INSERT INTO events (seq, at, actor, subject, body, hash) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(seq)
        .bind(at)
        .bind(actor)
        .bind(subject)
        .bind(body)
        .bind(before.hex())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn head(connection: &mut SqliteConnection) -> sqlx::Result<Chain> {
    let row = sqlx::query("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1");
    match row.fetch_optional(connection).await? {
        Some(row) => Ok(Chain { seq: row.try_get(0)?, head: digest(&row, 1)? }),
        None => Ok(Chain::start()),
    }
}

fn read(row: &sqlx::sqlite::SqliteRow) -> sqlx::Result<Logged> {
    Ok(Logged {
        seq: row.try_get(0)?,
        at: row.try_get(1)?,
        actor: row.try_get(2)?,
        subject: row.try_get(3)?,
        body: row.try_get(4)?,
        hash: digest(row, 5)?,
    })
}

fn digest(row: &sqlx::sqlite::SqliteRow, column: usize) -> sqlx::Result<Digest> {
    let text: String = row.try_get(column)?;
    Digest::from_hex(&text).map_err(|e| sqlx::Error::Decode(Box::new(e)))
}
