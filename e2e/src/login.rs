//! Logins that a server asks for.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::server::answer;
use crate::token_service::TokenService;

/// What a server asks for before it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// User and password with each request.
    Basic(String, String),
    /// A token from the server's own `/token`, given for user and password, good for the scopes that were asked for.
    Token(String, String),
    /// As `Token`, with an identity token (OAuth 2 refresh token) instead of user and password.
    Identity(String),
    /// As `Token`, from the `/token` of another server.
    TokenFrom(String),
}

/// A request as a login sees it.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Bytes,
}

impl Asked<'_> {
    pub(crate) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The `Authorization` of a user.
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// The answer to a request without the right login; the token itself for `/token`.
pub(crate) fn refusal(login: &Login, tokens: &TokenService, asked: &Asked<'_>) -> Option<Response<Body>> {
    let given = asked.header(header::AUTHORIZATION);
    let host = asked.header(header::HOST).unwrap_or_default();
    let own = format!("http://{host}/token");
    let realm = match login {
        Login::Basic(user, password) => {
            return (given != Some(&basic(user, password))).then(|| challenge(&["Basic realm=\"test\""]));
        }
        Login::Token(..) | Login::Identity(_) if asked.uri.path() == "/token" => {
            return Some(tokens.answer(login, asked));
        }
        Login::Token(..) | Login::Identity(_) => &own,
        Login::TokenFrom(realm) => realm,
    };
    let (needed, error) = tokens.missing(asked)?;
    let error = error.map(|error| format!(",error=\"{error}\"")).unwrap_or_default();
    // As servers behind directories do: what nobody here answers comes first.
    let bearer = format!("Bearer realm=\"{realm}\",service=\"test, with a comma\",scope=\"{needed}\"{error}");
    Some(challenge(&["Negotiate", &bearer]))
}

fn challenge(texts: &[&str]) -> Response<Body> {
    let mut refusal = answer(StatusCode::UNAUTHORIZED, Body::empty());
    for text in texts {
        if let Ok(value) = HeaderValue::from_str(text) {
            refusal.headers_mut().append(header::WWW_AUTHENTICATE, value);
        }
    }
    refusal
}
