//! Small things that survive: what the catalog has reached, whether a person restored a backup, who publishes.

use super::{Database, Transaction, execute, on, rows};

/// Kept while a restored log may be behind what was published.
pub(crate) const RESTORED: &str = "restored";

impl Database {
    /// What was kept under a name.
    pub(crate) async fn kept(&self, name: &'static str) -> sqlx::Result<Option<String>> {
        self.read().await?.kept(name).await
    }
}

impl Transaction {
    /// Keeps a value under a name.
    pub(crate) async fn keep(&mut self, name: &'static str, value: &str) -> sqlx::Result<()> {
        execute!(
            self,
            "INSERT INTO kept (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name,
            value
        )
        .map(|_| ())
    }

    /// What was kept under a name.
    pub(crate) async fn kept(&mut self, name: &'static str) -> sqlx::Result<Option<String>> {
        let kept: Vec<(String,)> = rows!(self, "SELECT value FROM kept WHERE name = $1", name)?;
        Ok(kept.into_iter().next().map(|(value,)| value))
    }

    /// Drops what was kept under a name.
    pub(crate) async fn forget(&mut self, name: &'static str) -> sqlx::Result<()> {
        execute!(self, "DELETE FROM kept WHERE name = $1", name).map(|_| ())
    }
}
