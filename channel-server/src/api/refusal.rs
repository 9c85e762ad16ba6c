//! What a request is refused with: a stable code, the cause, the next step. Insides stay inside.

use axum::Json;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use pdp_policies::Span;
use pdp_transport::channel_server::Problem;

use crate::writer::WriteFailed;

/// A refused request.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) problem: Problem,
    /// After so many seconds it is worth another try.
    retry_after: Option<i64>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let problem = Problem { code: code.to_owned(), message: message.into(), hint: None };
        Self { status, problem, retry_after: None }
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: &str) -> Self {
        self.problem.hint = Some(hint.to_owned());
        self
    }

    pub(crate) fn bad(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", message)
    }

    pub(crate) fn login(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "LoginNeeded", message)
    }

    pub(crate) fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "NotAllowed", message)
    }

    pub(crate) fn conflict(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    pub(crate) fn unprocessable(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    pub(crate) fn too_many(code: &str, message: impl Into<String>, wait: Span) -> Self {
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, code, message);
        Self { retry_after: Some(wait.seconds()), ..refusal }
    }

    pub(crate) fn no_catalog() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "CatalogUnavailable", "no valid catalog has been read yet")
            .hint("try again later; the server's log says why")
    }

    pub(crate) fn catalog_behind() -> Self {
        let message = "another server follows another catalog; nothing is granted here";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "CatalogBehind", message)
            .hint("it looks again at once; does Git answer with an old copy?")
    }

    pub(crate) fn not_director() -> Self {
        let message =
            "the catalog doesn't list this server's key as a director's; it says and grants nothing";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "DirectorNotListed", message).hint(
            "`publisher catalog director list` shows the keys: start the server with the right one, or add its key",
        )
    }

    pub(crate) fn internal(cause: &str) -> Self {
        tracing::error!(cause, "internal error");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal", "the server failed")
            .hint("try again; its log says why")
    }
}

impl From<WriteFailed> for Refusal {
    fn from(failed: WriteFailed) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            failed.code,
            "the database takes no writes now; nothing was counted",
        )
        .hint("try again later; the server's log says why")
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), code(rejection.status()), rejection.body_text())
    }
}

impl From<BytesRejection> for Refusal {
    fn from(rejection: BytesRejection) -> Self {
        Self::new(rejection.status(), code(rejection.status()), rejection.body_text())
    }
}

impl From<PathRejection> for Refusal {
    fn from(rejection: PathRejection) -> Self {
        Self::bad("BadName", rejection.body_text())
    }
}

impl From<QueryRejection> for Refusal {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad("BadQuery", rejection.body_text())
    }
}

fn code(status: StatusCode) -> &'static str {
    if status == StatusCode::PAYLOAD_TOO_LARGE { "TooLarge" } else { "Unreadable" }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut answer = (self.status, Json(self.problem)).into_response();
        if let Some(seconds) = self.retry_after {
            answer.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        answer
    }
}
