//! When each data plane polled last.

use pdp_policies::{At, PdpId};

use super::{Database, Transaction, WRITE, from_millis, millis, on, rows};

/// So many rows are written at once: neither database takes more than some ten thousand values in a statement, and
/// SQLite's next writer shouldn't wait for all of them.
const AT_ONCE: usize = 500;

/// A stored row: organization, data plane, time.
pub(crate) type Seen = (String, String, At);

impl Database {
    /// Keeps when data planes polled last. Beside the log, so without its lock; never goes back.
    pub(crate) async fn save_seen(&self, mut seen: Vec<(PdpId, At)>) -> sqlx::Result<()> {
        // In one order, so that two servers don't wait for each other.
        seen.sort_unstable();
        for rows in seen.chunks(AT_ONCE) {
            let mut transaction = self.begin("BEGIN IMMEDIATE", WRITE).await?;
            transaction.save_seen(rows).await?;
            transaction.commit().await?;
        }
        Ok(())
    }
}

impl Transaction {
    async fn save_seen(&mut self, seen: &[(PdpId, At)]) -> sqlx::Result<()> {
        on!(self, connection => async {
            let mut statement = sqlx::QueryBuilder::new("INSERT INTO seen (organization, data_plane, at) ");
            statement.push_values(seen, |mut row, (pdp, at)| {
                row.push_bind(pdp.organization.as_str()).push_bind(pdp.data_plane.as_str()).push_bind(millis(*at));
            });
            statement.push(
                " ON CONFLICT (organization, data_plane) DO UPDATE SET at = excluded.at WHERE excluded.at > seen.at",
            );
            statement.build().execute(connection).await.map(|_| ())
        })
    }

    /// Who polled at `since` or later.
    pub(crate) async fn seen(&mut self, since: At) -> sqlx::Result<Vec<Seen>> {
        let stored: Vec<(String, String, i64)> =
            rows!(self, "SELECT organization, data_plane, at FROM seen WHERE at >= $1", millis(since))?;
        Ok(stored
            .into_iter()
            .map(|(organization, plane, at)| (organization, plane, from_millis(at)))
            .collect())
    }
}
