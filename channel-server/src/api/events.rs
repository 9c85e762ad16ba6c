//! `GET /v1/events?after=&limit=`: the event log, row by row as it was hashed.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use pdp_transport::channel_server::{EventView, Page};
use serde::Deserialize;

use super::Answer;
use super::person::Person;
use crate::server::Server;

/// Which part of the log.
#[derive(Debug, Deserialize)]
pub(crate) struct Part {
    #[serde(default)]
    after: i64,
    limit: Option<i64>,
}

pub(crate) async fn list(
    State(server): State<Arc<Server>>,
    person: Person,
    query: Result<Query<Part>, QueryRejection>,
) -> Answer<Json<Page<EventView>>> {
    person.read_all()?;
    let Part { after, limit } = query?.0;
    let limit = limit.unwrap_or(100).clamp(1, 1000);
    let rows = server.read().await?.events(after, limit).await.map_err(|e| server.failed(&e))?;
    let full = i64::try_from(rows.len()) == Ok(limit);
    let next = rows.last().filter(|_| full).map(|row| row.seq.to_string());
    let items = rows.into_iter().map(|row| EventView {
        seq: row.seq,
        at: row.at,
        actor: row.actor,
        subject: row.subject,
        body: row.body,
        hash: row.hash,
    });
    Ok(Json(Page { items: items.collect(), next }))
}
