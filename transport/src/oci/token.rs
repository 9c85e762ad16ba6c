//! A token from a token service (the registry token specification; with an identity token, its OAuth 2 variant).

use std::time::{Duration, Instant, SystemTime};

use reqwest::{Request, StatusCode, header};
use serde::Deserialize;

use super::auth::Question;
use super::memory::Grant;
use super::registry::Registry;
use super::repository::Repository;
use crate::error::{Error, Kind, Result};
use crate::http;
use crate::login::{TokenLogin, sensitive};

/// A token answer is small.
const MAX_TOKEN_BYTES: u64 = 64 * 1024;
/// How we are called where a client has to have a name.
const CLIENT_ID: &str = "pdp-updates";
/// A token without a life has this one, by the specification (seconds).
const USUAL_LIFE: u64 = 60;
/// No token is kept for longer (seconds).
const LONGEST_LIFE: u64 = 24 * 3600;

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
    issued_at: Option<String>,
}

/// Asks the token service, with the login if it may have it. No redirect is followed: the login would go along.
///
/// # Errors
/// `LoginNeeded` when it refuses, `Garbage` when its answer is none, and what requests can end with.
pub(super) async fn fetch(
    registry: &Registry,
    repository: &Repository,
    question: &Question,
    lent: Option<TokenLogin<'_>>,
    without_login: Option<String>,
) -> Result<Grant> {
    let what = format!("log in to {}", repository.host);
    let request = request(registry, question, lent).map_err(|e| http::no_answer(&what, &e))?;
    let asked = Instant::now();
    let answer = registry.execute_here(&what, request).await?;
    let date = answer.headers().get(header::DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
    let status = answer.status();
    if !status.is_success() {
        return Err(refused(&what, status, question, without_login));
    }
    registry.no_page(&what, &answer)?;
    let body = registry.read(&what, answer, MAX_TOKEN_BYTES).await?;
    let bad = || Error::new(Kind::Garbage, &what, "the token service's answer holds no token");
    let answer: Answer = serde_json::from_slice(&body).map_err(|_| bad())?;
    let life = life(answer.expires_in, answer.issued_at.as_deref(), date);
    let token = answer.token.or(answer.access_token).filter(|token| !token.is_empty()).ok_or_else(bad)?;
    let value = sensitive(&format!("Bearer {token}")).ok_or_else(bad)?;
    Ok(Grant { value, until: Some(asked + life), without_login })
}

fn request(
    registry: &Registry,
    question: &Question,
    lent: Option<TokenLogin<'_>>,
) -> reqwest::Result<Request> {
    let (mut realm, service) = (question.realm.clone(), question.service.as_deref());
    if let Some(TokenLogin::Refresh(token)) = lent {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token");
        form.append_pair("service", service.unwrap_or_default());
        form.append_pair("scope", &question.scope);
        form.append_pair("client_id", CLIENT_ID);
        form.append_pair("refresh_token", token);
        let request = registry.http().post(realm);
        return request
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.finish())
            .build();
    }
    if let Some(service) = service {
        realm.query_pairs_mut().append_pair("service", service);
    }
    for scope in question.scope.split_ascii_whitespace() {
        realm.query_pairs_mut().append_pair("scope", scope);
    }
    let request = registry.http().get(realm);
    match lent {
        Some(TokenLogin::Basic(value)) => request.header(header::AUTHORIZATION, value).build(),
        _ => request.build(),
    }
}

fn refused(what: &str, status: StatusCode, question: &Question, without_login: Option<String>) -> Error {
    let host = question.realm.host_str().unwrap_or_default();
    if status.is_redirection() {
        let cause = format!("the token service {host} sends elsewhere ({status}), where no login may go");
        return Error::new(Kind::Garbage, what, cause);
    }
    let mut error = http::refused(what, status);
    if status == StatusCode::BAD_REQUEST {
        // OAuth 2 says so of a refresh token that is no longer good.
        error.kind = Kind::LoginNeeded;
    }
    error.cause = format!("the token service {host} answered {status}");
    if let Some(without_login) = without_login {
        error.cause = format!("{}; {without_login}", error.cause);
    }
    error
}

/// How long a token is used: a tenth shorter than it lives. What passed since it was issued is taken off, by the
/// service's own clock (`date`): ours may be wrong.
fn life(expires_in: Option<u64>, issued_at: Option<&str>, date: Option<SystemTime>) -> Duration {
    let seconds = expires_in.unwrap_or(USUAL_LIFE).min(LONGEST_LIFE);
    let issued = issued_at.and_then(|text| text.parse::<jiff::Timestamp>().ok()).map(SystemTime::from);
    let age = date.zip(issued).and_then(|(date, issued)| date.duration_since(issued).ok());
    Duration::from_secs(seconds).saturating_sub(age.unwrap_or_default()) * 9 / 10
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_lives_as_its_service_says() {
        let date = httpdate::parse_http_date("Sun, 06 Nov 1994 08:50:37 GMT").ok();
        for (expires_in, issued_at, date, seconds) in [
            (None, None, None, 54),
            (Some(300), None, date, 270),
            (Some(300), Some("1994-11-06T08:48:57Z"), date, 180),
            (Some(300), Some("1994-11-06T08:48:57Z"), None, 270),
            (Some(300), Some("1994-11-06T09:00:00Z"), date, 270),
            (Some(60), Some("1994-11-06T08:00:00Z"), date, 0),
            (Some(300), Some("yesterday"), date, 270),
            (Some(0), None, None, 0),
            (Some(u64::MAX), None, None, 77760),
        ] {
            assert_eq!(life(expires_in, issued_at, date).as_secs(), seconds, "{expires_in:?} {issued_at:?}");
        }
    }
}
