//! A token service after the distribution project's token specification: it signs what was asked for and is
//! allowed to that user, and nothing more.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::get;
use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::site::{Account, PUSHER, READER};
use crate::server::{Gate, Server};

/// Seconds that a token is good for.
const LIFE: i64 = 300;

/// A service on 127.0.0.1. It ends with this value.
#[derive(Debug)]
pub struct TokenService {
    server: Server,
    signer: Arc<Signer>,
    certificate: PathBuf,
}

struct Signer {
    key: EncodingKey,
    header: Header,
    asked: Mutex<Vec<String>>,
}

impl TokenService {
    /// The name of the registries that it signs for.
    pub const SERVICE: &str = "the registry";
    /// Who signs.
    pub const ISSUER: &str = "the token service";

    /// Starts one whose certificate lies in `folder`.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let made = rcgen::generate_simple_self_signed(["token service".to_owned()])?;
        let certificate = folder.join("token-service.pem");
        std::fs::write(&certificate, made.cert.pem())?;
        let mut header = Header::new(Algorithm::ES256);
        header.x5c = Some(vec![STANDARD.encode(made.cert.der())]);
        let key = EncodingKey::from_ec_der(&made.signing_key.serialize_der());
        let signer = Arc::new(Signer { key, header, asked: Mutex::default() });
        let app = Router::new().route("/token", get(token)).with_state(signer.clone());
        Ok(Self { server: Server::start(app, Gate::default())?, signer, certificate })
    }

    /// Where registries send clients.
    pub fn realm(&self) -> String {
        format!("http://{}/token", self.server.address())
    }

    /// The certificate that registries check tokens with.
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// Who asked for which scopes since the last call: `user repository:path:actions`.
    pub fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.signer.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}

async fn token(
    State(signer): State<Arc<Signer>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<String, StatusCode> {
    let account = account(&headers)?;
    let query = query.unwrap_or_default();
    let fields: Vec<(String, String)> = reqwest::Url::parse(&format!("http://x/?{query}"))
        .map_or_else(|_| Vec::new(), |url| url.query_pairs().into_owned().collect());
    if !fields.iter().any(|(name, value)| name == "service" && value == TokenService::SERVICE) {
        return Err(StatusCode::BAD_REQUEST);
    }
    let scopes: Vec<_> = fields.iter().filter(|(name, _)| name == "scope").collect();
    let scopes: Vec<_> = scopes.iter().flat_map(|(_, value)| value.split(' ')).collect();
    let user = account.map_or("anonymous", |account| account.user);
    let access: Vec<_> = scopes.iter().filter_map(|scope| granted(scope, account)).collect();
    let mut asked = signer.asked.lock().unwrap_or_else(PoisonError::into_inner);
    asked.extend(scopes.iter().map(|scope| format!("{user} {scope}")));
    drop(asked);
    let now = crate::unix_now();
    let claims = json!({
        "iss": TokenService::ISSUER, "aud": TokenService::SERVICE, "sub": user, "access": access,
        "iat": now, "nbf": now - 10, "exp": now + LIFE, "jti": format!("{now}-{}", rand_id()),
    });
    let token = jsonwebtoken::encode(&signer.header, &claims, &signer.key);
    let token = token.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(json!({ "token": token, "access_token": token, "expires_in": LIFE }).to_string())
}

fn rand_id() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}

/// The account whose password came; none came: nobody's. A wrong one is refused.
fn account(headers: &HeaderMap) -> Result<Option<Account>, StatusCode> {
    let Some(given) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let basic = |it: &Account| format!("Basic {}", STANDARD.encode(format!("{}:{}", it.user, it.password)));
    let known = [PUSHER, READER].into_iter().find(|account| given.as_bytes() == basic(account).as_bytes());
    known.map(Some).ok_or(StatusCode::UNAUTHORIZED)
}

/// Of a scope (`repository:path:action,action`) what this account may.
fn granted(scope: &str, account: Option<Account>) -> Option<Value> {
    let may: &[&str] = match account {
        Some(account) if account == PUSHER => &["pull", "push"],
        Some(_) => &["pull"],
        None => &[],
    };
    let (kind, rest) = scope.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    let actions: BTreeSet<_> = actions.split(',').filter(|action| may.contains(action)).collect();
    (kind == "repository" && !actions.is_empty())
        .then(|| json!({ "type": kind, "name": name, "actions": actions }))
}
