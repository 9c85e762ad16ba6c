//! `GET /v1/data-planes/{organization}/{data plane}/reports?of=<other>`: the last report of another data plane of the same
//! organization, as it was signed, with its key. Whoever waits for it judges it; this server is only who brings it.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pdp_policies::report::Report;
use pdp_policies::{DataPlaneName, HandedReport, PdpId, dsse};
use serde::Deserialize;

use super::Answer;
use super::data_plane::DataPlane;
use crate::public_key::PublicKey;
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
    let Some((envelope, _)) = envelope.filter(|(envelope, body)| is_of(envelope, body, &key)) else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    Ok(Json(HandedReport { public_key: key.der().to_pem(), envelope }).into_response())
}

/// True if the data plane's key signed what the body says.
fn is_of(envelope: &str, body: &str, key: &PublicKey) -> bool {
    let signed = dsse::open("report", envelope.as_bytes(), dsse::REPORT, &[key.der()]).ok();
    let signed: Option<Report> = signed.and_then(|payload| serde_json::from_slice(&payload).ok());
    signed.is_some_and(|signed| serde_json::from_str::<Report>(body).is_ok_and(|body| body == signed))
}
