//! Answering a registry's 401: Basic, or a token from the service that it names.

use reqwest::{Response, header};
use serde::Deserialize;

use super::registry::Registry;
use super::repository::Repository;
use crate::error::{Error, Kind, Result};
use crate::http;
use crate::login::{Login, TokenLogin, sensitive};

/// A token answer is small.
const MAX_TOKEN_BYTES: u64 = 64 * 1024;

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// The `Authorization` that the challenge asks for, none if it can't be answered.
///
/// # Errors
/// `LoginNeeded` when the token service refuses, and what requests can end with.
pub(super) async fn answer(
    registry: &Registry,
    repository: &Repository,
    refused: &Response,
    login: Option<Login>,
) -> Result<Option<header::HeaderValue>> {
    let challenge = refused.headers().get(header::WWW_AUTHENTICATE).and_then(|v| v.to_str().ok());
    match challenge.and_then(|text| text.split_once(' ')) {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("basic") => {
            let origin = repository.origin(registry.exceptions())?;
            Ok(login.and_then(|login| login.basic_for(&origin)))
        }
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => {
            token(registry, repository, rest, login).await
        }
        _ => Ok(None),
    }
}

async fn token(
    registry: &Registry,
    repository: &Repository,
    challenge: &str,
    login: Option<Login>,
) -> Result<Option<header::HeaderValue>> {
    let what = format!("log in to {}", repository.host);
    let bad = || Error::new(Kind::Garbage, &what, "the registry's challenge names no usable token service");
    let mut realm = url::Url::parse(parameter(challenge, "realm").ok_or_else(bad)?).map_err(|_| bad())?;
    // The login goes there: only over TLS, or where the registry itself is on this machine.
    if realm.scheme() != "https" && !repository.is_loopback() {
        return Err(bad());
    }
    let scope = parameter(challenge, "scope").map(str::to_owned);
    let scope = scope.unwrap_or_else(|| format!("repository:{}:pull,push", repository.path));
    realm.query_pairs_mut().append_pair("scope", &scope);
    if let Some(service) = parameter(challenge, "service") {
        realm.query_pairs_mut().append_pair("service", service);
    }
    let lent = login.as_ref().and_then(|login| login.for_token_service(&realm, registry.exceptions()));
    let mut request = registry.http().get(realm.clone());
    if let Some(TokenLogin::Basic(value)) = lent {
        request = request.header(header::AUTHORIZATION, value);
    }
    let request = request.build().map_err(|e| http::no_answer(&what, &e))?;
    let answer = registry.execute(&what, request).await?;
    if !answer.status().is_success() {
        return Err(http::refused(&what, answer.status()));
    }
    let body = registry.read(&what, answer, MAX_TOKEN_BYTES).await?;
    let token: Token = serde_json::from_slice(&body).map_err(|_| bad())?;
    Ok(token.token.or(token.access_token).and_then(|token| sensitive(&format!("Bearer {token}"))))
}

/// One `name="value"` of a challenge.
fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    challenge.split(',').find_map(|part| {
        let (key, value) = part.trim().split_once('=')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim_matches('"'))
    })
}
