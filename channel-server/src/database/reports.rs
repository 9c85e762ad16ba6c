//! The newest report of each data plane.

use pdp_policies::report::Report;
use pdp_policies::{At, PdpId};

use super::{Transaction, execute, from_millis, millis, on, rows};

/// A report as it is stored.
#[derive(Debug)]
pub(crate) struct StoredReport {
    pub(crate) version: i64,
    pub(crate) received: At,
    /// None if it can't be read any more.
    pub(crate) report: Option<Report>,
}

/// So many reports are in memory at once.
pub(crate) const PAGE: usize = 5_000;

impl Transaction {
    /// Keeps a report. `version` is higher than that of any other: who holds the log's lock knows it.
    pub(crate) async fn store_report(
        &mut self,
        report: &Report,
        envelope: &str,
        received: At,
        version: i64,
    ) -> sqlx::Result<()> {
        let body = serde_json::to_string(report).map_err(|e| sqlx::Error::Encode(Box::new(e)))?;
        execute!(
            self,
            "INSERT INTO reports (organization, data_plane, received, body, version, envelope)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (organization, data_plane)
             DO UPDATE SET received = excluded.received, body = excluded.body, version = excluded.version,
             envelope = excluded.envelope",
            report.organization.as_str(),
            report.data_plane.as_str(),
            millis(received),
            &body,
            version,
            envelope
        )?;
        self.is_news = true;
        Ok(())
    }

    /// The newest report of a data plane as it was signed, and its body; none if it has none. An older server leaves the envelope
    /// before beside its report.
    pub(crate) async fn envelope(&mut self, pdp: &PdpId) -> sqlx::Result<Option<(String, String)>> {
        let found: Vec<(Option<String>, String)> = rows!(
            self,
            "SELECT envelope, body FROM reports WHERE organization = $1 AND data_plane = $2",
            pdp.organization.as_str(),
            pdp.data_plane.as_str()
        )?;
        Ok(found.into_iter().next().and_then(|(envelope, body)| Some((envelope?, body))))
    }

    /// The newest reports of the first who reported with `version` or after it, in the order in which they came.
    pub(crate) async fn reports(&mut self, version: i64) -> sqlx::Result<Vec<StoredReport>> {
        let stored: Vec<Stored> = rows!(
            self,
            "SELECT version, received, body, organization, data_plane FROM reports WHERE version >= $1 ORDER BY version LIMIT $2",
            version,
            i64::try_from(PAGE).unwrap_or(i64::MAX)
        )?;
        Ok(stored.into_iter().map(|row| read(row, version)).collect())
    }
}

/// Version, time, body, and whose it is.
type Stored = (i64, i64, String, String, String);

/// The one that is `known` was read before, and complained of.
fn read((version, received, body, organization, data_plane): Stored, known: i64) -> StoredReport {
    let report = serde_json::from_str(&body).inspect_err(|error| {
        if version > known {
            tracing::warn!(%error, version, "a stored report can't be read");
        }
    });
    // Nobody's report speaks for another one, whoever wrote the row.
    let own = |report: &Report| {
        (report.organization.as_str(), report.data_plane.as_str()) == (&organization, &data_plane)
    };
    StoredReport { version, received: from_millis(received), report: report.ok().filter(own) }
}
