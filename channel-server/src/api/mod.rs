//! The REST API: one file per endpoint. `docs/api.md` lists them.

mod assignment;
mod catalog_changed;
mod data_plane;
mod data_planes;
mod enrolment_tokens;
mod enrolments;
mod events;
mod everything;
mod handed_report;
mod health;
mod levels;
mod named;
mod organizations;
mod person;
mod ready;
mod refusal;
mod reports;
mod rollout_view;
mod rollouts;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post, put};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use tracing::Instrument;

use crate::server::Server;

pub(crate) use refusal::Refusal;

/// The answer to a request.
pub(crate) type Answer<T> = Result<T, Refusal>;

/// No body is larger (bytes). Reports and enrolments are a few kilobytes.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// Longer than the longest long poll.
const MAX_REQUEST: Duration = Duration::from_secs(70);

/// All endpoints.
pub(crate) fn router(server: Arc<Server>) -> Router {
    let data_planes = Router::new()
        .route("/v1/enrolments", post(enrolments::post))
        .route("/v1/data-planes/{organization}/{data_plane}/assignment", get(assignment::get))
        .route("/v1/data-planes/{organization}/{data_plane}/ready", post(ready::post))
        .route(
            "/v1/data-planes/{organization}/{data_plane}/reports",
            post(reports::post).get(handed_report::get),
        )
        .route("/v1/catalog/changed", post(catalog_changed::post));
    let people = Router::new()
        .route("/v1/organizations", get(organizations::list))
        .route("/v1/organizations/{organization}", put(organizations::put))
        .route("/v1/data-planes", get(data_planes::list))
        .route(
            "/v1/data-planes/{organization}/{data_plane}",
            get(data_planes::show).delete(data_planes::revoke),
        )
        .route("/v1/data-planes/{organization}/{data_plane}/ring", put(data_planes::put_ring))
        .route("/v1/data-planes/{organization}/{data_plane}/enrolment-tokens", post(enrolment_tokens::post))
        .route("/v1/levels", get(levels::list))
        .route("/v1/rollouts", get(rollouts::list))
        .route("/v1/rollouts/{line}/{level}", get(rollouts::show))
        .route("/v1/rollouts/{line}/{level}/commands", post(rollouts::order))
        .route("/v1/everything", get(everything::show))
        .route("/v1/everything/halt", post(everything::halt))
        .route("/v1/everything/resume", post(everything::resume))
        .route("/v1/events", get(events::list));
    let operators = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics));
    data_planes
        .merge(people)
        .merge(operators)
        .fallback(|| async { Refusal::not_found("no such endpoint; see docs/api.md") })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(CatchPanicLayer::new())
        .layer(from_fn(named))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, MAX_REQUEST))
        .with_state(server)
}

/// Every line that the log has of a request says which peer it came from.
async fn named(ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request, next: Next) -> Response {
    next.run(request).instrument(tracing::info_span!("request", %peer)).await
}
