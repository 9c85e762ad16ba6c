//! `GET /v1/data-planes/{organization}/{data plane}/reports?of=<other>`: the last report of another data plane of the same
//! organization, as it was signed, with its key. Whoever waits for it judges it; this server is only who brings it.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pdp_policies::{DataPlaneName, HandedReport, PdpId};
use serde::Deserialize;

use super::Answer;
use super::data_plane::DataPlane;
use crate::server::Server;

/// Whose report is asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Of {
    of: DataPlaneName,
}

pub(crate) async fn get(
    State(server): State<Arc<Server>>,
    DataPlane(pdp): DataPlane,
    query: Result<Query<Of>, QueryRejection>,
) -> Answer<Response> {
    // Never of another organization: its name comes from who asks.
    let other = PdpId { organization: pdp.organization, data_plane: query?.0.of };
    let key =
        server.fleet().planes.get(&other).filter(|plane| plane.revoked.is_none()).map(|plane| plane.key);
    let Some(key) = key else { return Ok(StatusCode::NO_CONTENT.into_response()) };
    let _turn = server.lookups.acquire().await.map_err(|e| super::Refusal::internal(&e.to_string()))?;
    let envelope = server.read().await?.envelope(&other).await.map_err(|e| server.failed(&e))?;
    let Some(envelope) = envelope else { return Ok(StatusCode::NO_CONTENT.into_response()) };
    Ok(Json(HandedReport { public_key: key.der().to_pem(), envelope }).into_response())
}
