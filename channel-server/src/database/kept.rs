//! Small things that survive: what the catalog has reached, whether a person restored a backup.

use sqlx::Row;

use super::Database;

impl Database {
    /// Keeps a value under a name.
    pub(crate) async fn keep(&mut self, name: &'static str, value: &str) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO kept (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(name)
        .bind(value)
        .execute(&mut self.connection)
        .await
        .map(|_| ())
    }

    /// What was kept under a name.
    pub(crate) async fn kept(&mut self, name: &'static str) -> sqlx::Result<Option<String>> {
        let row = sqlx::query("SELECT value FROM kept WHERE name = $1").bind(name);
        row.fetch_optional(&mut self.connection).await?.map(|row| row.try_get(0)).transpose()
    }

    /// Drops what was kept under a name.
    pub(crate) async fn forget(&mut self, name: &'static str) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM kept WHERE name = $1")
            .bind(name)
            .execute(&mut self.connection)
            .await
            .map(|_| ())
    }
}
