//! `POST /v1/catalog/changed`: a hint without authority. The server looks for itself, at most once a second.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use crate::server::Server;

pub(crate) async fn post(State(server): State<Arc<Server>>) -> StatusCode {
    server.hint.notify_one();
    StatusCode::ACCEPTED
}
