//! Logins that a server asks for.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Response, StatusCode, header};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::server::answer;

/// What a server asks for before it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// User and password with each request.
    Basic(String, String),
    /// A token from the server's own `/token`, given for user and password.
    Token(String, String),
}

const TOKEN: &str = "Bearer a-token-of-the-test-registry";

/// The answer to a request without login; the token itself for `/token`.
pub(crate) fn refusal(login: &Login, request: &Request) -> Option<Response<Body>> {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let host = request.headers().get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let basic =
        |user: &str, password: &str| format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    match login {
        Login::Basic(user, password) if given == Some(&basic(user, password)) => None,
        Login::Basic(..) => Some(challenge("Basic realm=\"test\"")),
        Login::Token(user, password) if request.uri().path() == "/token" => {
            let known = given == Some(&basic(user, password));
            let token = TOKEN.trim_start_matches("Bearer ");
            Some(match known {
                true => answer(StatusCode::OK, Body::from(format!("{{\"token\":\"{token}\"}}"))),
                false => answer(StatusCode::UNAUTHORIZED, Body::empty()),
            })
        }
        Login::Token(..) if given == Some(TOKEN) => None,
        Login::Token(..) => {
            Some(challenge(&format!("Bearer realm=\"http://{host}/token\",service=\"test\"")))
        }
    }
}

fn challenge(text: &str) -> Response<Body> {
    let mut refusal = answer(StatusCode::UNAUTHORIZED, Body::empty());
    if let Ok(value) = HeaderValue::from_str(text) {
        refusal.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    refusal
}
