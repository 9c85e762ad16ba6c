//! The newest report of each data plane, and when each was seen.

use pdp_policies::report::Report;
use pdp_policies::{At, PdpId};
use sqlx::Row;

use super::{Database, events, from_millis, millis};
use crate::event::{Actor, Event};

impl Database {
    /// Keeps a report and what it means for rollouts, in one transaction.
    pub(crate) async fn report(
        &mut self,
        pdp: &PdpId,
        report: &Report,
        received: At,
        events: &[Event],
    ) -> sqlx::Result<()> {
        let body = serde_json::to_string(report).map_err(|e| sqlx::Error::Encode(Box::new(e)))?;
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO reports (organization, data_plane, received, body) VALUES ($1, $2, $3, $4)
             ON CONFLICT (organization, data_plane) DO UPDATE SET received = excluded.received, body = excluded.body",
        )
        .bind(pdp.organization.as_str())
        .bind(pdp.data_plane.as_str())
        .bind(millis(received))
        .bind(body)
        .execute(&mut *transaction)
        .await?;
        events::append(&mut transaction, received, &Actor::DataPlane(pdp.clone()), events).await?;
        transaction.commit().await
    }

    /// All newest reports and when they came. What can't be read any more is left out.
    pub(crate) async fn reports(&mut self) -> sqlx::Result<Vec<(Report, At)>> {
        let rows = sqlx::query("SELECT received, body FROM reports").fetch_all(&mut self.connection).await?;
        let mut reports = Vec::with_capacity(rows.len());
        for row in rows {
            let (received, body): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
            match serde_json::from_str(&body) {
                Ok(report) => reports.push((report, from_millis(received))),
                Err(error) => tracing::warn!(%error, "a stored report can't be read"),
            }
        }
        Ok(reports)
    }

    /// Keeps when data planes polled last, all in one transaction.
    pub(crate) async fn save_seen(&mut self, seen: &[(PdpId, At)]) -> sqlx::Result<()> {
        let mut transaction = self.begin().await?;
        for (pdp, at) in seen {
            sqlx::query(
                "INSERT INTO seen (organization, data_plane, at) VALUES ($1, $2, $3)
                 ON CONFLICT (organization, data_plane) DO UPDATE SET at = excluded.at",
            )
            .bind(pdp.organization.as_str())
            .bind(pdp.data_plane.as_str())
            .bind(millis(*at))
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }

    /// When each data plane polled last: organization, data plane, time.
    pub(crate) async fn seen(&mut self) -> sqlx::Result<Vec<(String, String, At)>> {
        let rows = sqlx::query("SELECT organization, data_plane, at FROM seen");
        let rows = rows.fetch_all(&mut self.connection).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, from_millis(row.try_get(2)?)))).collect()
    }
}
