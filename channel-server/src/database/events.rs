//! The event log: append-only, each row hashed together with the one before.

use pdp_policies::{At, Digest};

use super::{Transaction, execute, from_millis, millis, on, rows};
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
    /// Hex, unless somebody forged it.
    pub(crate) hash: String,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

    /// The row to append, and the walk behind it.
    pub(crate) fn next(self, at: At, actor: &str, subject: &str, body: &str) -> (Self, Logged) {
        let (seq, at) = (self.seq + 1, millis(at));
        let hash = Logged::hash(&self.head, seq, at, [actor, subject, body]);
        let [actor, subject, body] = [actor, subject, body].map(str::to_owned);
        (Self { seq, head: hash }, Logged { seq, at, actor, subject, body, hash: hash.hex() })
    }

    /// One row on; none if it isn't what was written after the row before.
    pub(crate) fn follow(self, row: &Logged) -> Option<Self> {
        let expected = Logged::hash(&self.head, row.seq, row.at, [&row.actor, &row.subject, &row.body]);
        let fits = row.seq == self.seq + 1 && row.hash == expected.hex();
        fits.then_some(Self { seq: row.seq, head: expected })
    }
}

/// So many rows are in memory at once when the whole log is read.
const PAGE: i64 = 10_000;

/// A row as it is stored.
type Stored = (i64, i64, String, String, String, String);

impl Transaction {
    /// Appends events behind `head`, which must be the newest row; the new head.
    pub(crate) async fn append(
        &mut self,
        head: Chain,
        at: At,
        actor: &Actor,
        events: &[Event],
    ) -> sqlx::Result<Chain> {
        let (mut chain, actor) = (head, actor.to_string());
        for event in events {
            let body = serde_json::to_string(event).map_err(|e| sqlx::Error::Encode(Box::new(e)))?;
            let (next, row) = chain.next(at, &actor, &event.subject(), &body);
            execute!(
                self,
                "INSERT INTO events (seq, at, actor, subject, body, hash) VALUES ($1, $2, $3, $4, $5, $6)",
                row.seq,
                row.at,
                &row.actor,
                &row.subject,
                &row.body,
                &row.hash
            )?;
            chain = next;
        }
        self.is_news |= !events.is_empty();
        Ok(chain)
    }

    /// As [`Transaction::append`], for whoever doesn't follow the log.
    pub(crate) async fn append_blindly(
        &mut self,
        at: At,
        actor: &Actor,
        events: &[Event],
    ) -> sqlx::Result<()> {
        let head = self.head().await?;
        self.append(head, at, actor, events).await.map(|_| ())
    }

    /// Rows after `after`, at most `limit`, in order.
    pub(crate) async fn events(&mut self, after: i64, limit: i64) -> sqlx::Result<Vec<Logged>> {
        let stored: Vec<Stored> = rows!(
            self,
            "SELECT seq, at, actor, subject, body, hash FROM events WHERE seq > $1 ORDER BY seq LIMIT $2",
            after,
            limit
        )?;
        let read =
            |(seq, at, actor, subject, body, hash): Stored| Logged { seq, at, actor, subject, body, hash };
        Ok(stored.into_iter().map(read).collect())
    }

    /// Walks over the log from behind `after`, a page at a time, until `each` says that it has seen enough.
    pub(crate) async fn walk<E>(
        &mut self,
        mut after: i64,
        mut each: impl FnMut(&Logged) -> Result<(), E>,
    ) -> sqlx::Result<Result<(), E>> {
        loop {
            let page = self.events(after, PAGE).await?;
            if let Err(enough) = page.iter().try_for_each(&mut each) {
                return Ok(Err(enough));
            }
            match page.last() {
                Some(last) if i64::try_from(page.len()) == Ok(PAGE) => after = last.seq,
                _ => return Ok(Ok(())),
            }
        }
    }

    /// The newest row.
    pub(crate) async fn head(&mut self) -> sqlx::Result<Chain> {
        let newest: Vec<(i64, String)> =
            rows!(self, "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")?;
        let read = |(seq, hash): (i64, String)| {
            let head = Digest::from_hex(&hash).map_err(|e| sqlx::Error::Decode(Box::new(e)))?;
            Ok(Chain { seq, head })
        };
        newest.into_iter().next().map_or(Ok(Chain::start()), read)
    }

    /// True if the log ever had this head.
    pub(crate) async fn knows_head(&mut self, hash: &Digest) -> sqlx::Result<bool> {
        let found: Vec<(i64,)> = rows!(self, "SELECT seq FROM events WHERE hash = $1", hash.hex())?;
        Ok(*hash == genesis() || !found.is_empty())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn row(before: Chain, body: &str) -> Logged {
        before.next(At::from_unix(1), "server", "acme", body).1
    }

    #[test]
    fn only_what_was_written_after_the_row_before_is_followed() {
        let first = row(Chain::start(), "one");
        let after_first = Chain::start().follow(&first).unwrap();
        let second = row(after_first, "two");
        assert!(after_first.follow(&second).is_some());
        assert!(Chain::start().follow(&second).is_none(), "one is missing");
        assert!(after_first.follow(&first).is_none(), "it came before");
        for forged in [
            Logged { body: "a favour".into(), ..second.clone() },
            Logged { actor: "token:ada".into(), ..second.clone() },
            Logged { at: 1001, ..second.clone() },
            Logged { seq: 3, ..second.clone() },
            Logged { hash: "x".into(), ..second.clone() },
        ] {
            assert!(after_first.follow(&forged).is_none(), "{forged:?}");
        }
    }
}
