//! A token service after the registry token specification: a token carries what was granted, and nothing else counts.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Method, Response, StatusCode, header};
use serde_json::json;

use crate::login::{Asked, Login, basic};
use crate::server::answer;

/// The tokens of one server, or of several that share one service.
#[derive(Debug, Clone)]
pub(crate) struct TokenService {
    tokens: Arc<Mutex<HashMap<String, Token>>>,
    pub(crate) life: Arc<Mutex<Duration>>,
    /// The scopes that were asked for.
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
}

#[derive(Debug, Clone)]
struct Token {
    scopes: Vec<String>,
    until: Instant,
}

impl Default for TokenService {
    fn default() -> Self {
        let life = Arc::new(Mutex::new(Duration::from_secs(300)));
        Self { tokens: Arc::default(), life, asked: Arc::default() }
    }
}

impl TokenService {
    /// The answer of `/token`: by GET with a user's login or without one, by POST with a refresh token.
    pub(crate) fn answer(&self, login: &Login, asked: &Asked<'_>) -> Response<Body> {
        let query = match *asked.method {
            Method::POST => String::from_utf8_lossy(asked.body).into_owned(),
            _ => asked.uri.query().unwrap_or_default().to_owned(),
        };
        let fields = fields(&query);
        let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let known = match login {
            Login::Token(user, password) => {
                *asked.method == Method::GET
                    && asked.header(header::AUTHORIZATION) == Some(&basic(user, password))
            }
            Login::Identity(token) => {
                *asked.method == Method::POST
                    && field("grant_type") == Some("refresh_token")
                    && field("refresh_token") == Some(token)
                    && field("client_id").is_some_and(|id| !id.is_empty())
            }
            _ => false,
        };
        if !known || field("service") != Some("test, with a comma") {
            return answer(StatusCode::UNAUTHORIZED, Body::empty());
        }
        let scopes = fields.iter().filter(|(key, _)| key == "scope").map(|(_, value)| value.clone());
        let scopes: Vec<String> = scopes.flat_map(|all| split(&all)).collect();
        lock(&self.asked).extend(scopes.clone());
        let life = *lock(&self.life);
        let token = self.issue(scopes, life);
        let name = if *asked.method == Method::POST { "access_token" } else { "token" };
        let told = json!({ name: token, "expires_in": life.as_secs() });
        answer(StatusCode::OK, Body::from(told.to_string()))
    }

    fn issue(&self, scopes: Vec<String>, life: Duration) -> String {
        let mut tokens = lock(&self.tokens);
        let random = std::hash::RandomState::new().build_hasher().finish();
        let token = format!("token-{}-{random:016x}", tokens.len());
        tokens.insert(token.clone(), Token { scopes, until: Instant::now() + life });
        token
    }

    /// The scope that a request needs and its token hasn't, with the error that says why; none if it has it.
    pub(crate) fn missing(&self, asked: &Asked<'_>) -> Option<(String, Option<&'static str>)> {
        let pull = [Method::GET, Method::HEAD].contains(asked.method);
        let repository = repository(asked.uri.path());
        let (needed, actions): (_, &[&str]) = match (pull, repository) {
            (_, None) => (String::new(), &[]),
            (true, Some(name)) => (format!("repository:{name}:pull"), &["pull"]),
            (false, Some(name)) => (format!("repository:{name}:pull,push"), &["pull", "push"]),
        };
        let given = asked.header(header::AUTHORIZATION).and_then(|given| given.strip_prefix("Bearer "));
        let Some(given) = given else { return Some((needed, None)) };
        let token = lock(&self.tokens).get(given).cloned();
        let Some(token) = token.filter(|token| Instant::now() < token.until) else {
            return Some((needed, Some("invalid_token")));
        };
        let has = |action: &&str| token.scopes.iter().any(|scope| grants(scope, repository, action));
        (!actions.iter().all(has)).then_some((needed, Some("insufficient_scope")))
    }
}

fn grants(scope: &str, repository: Option<&str>, action: &str) -> bool {
    let Some((name, actions)) = scope.strip_prefix("repository:").and_then(|rest| rest.rsplit_once(':'))
    else {
        return false;
    };
    Some(name) == repository && actions.split(',').any(|granted| granted == action)
}

/// The repository of `/v2/<repository>/{blobs,manifests,referrers,tags}/...`.
fn repository(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/v2/")?;
    let ends = ["/blobs/", "/manifests/", "/referrers/", "/tags/"].iter().filter_map(|part| rest.find(part));
    ends.min().map(|end| &rest[..end])
}

fn fields(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (decoded(key), decoded(value))).collect()
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next(), rest.next()].map(|digit| char::from(digit.unwrap_or(b'0')));
                u8::from_str_radix(&digits.iter().collect::<String>(), 16).unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn split(scopes: &str) -> Vec<String> {
    scopes.split_ascii_whitespace().map(str::to_owned).collect()
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
