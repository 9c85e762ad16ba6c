//! API tokens of people: hashes, names, roles.

use pdp_policies::{At, Digest, Organization};
use pdp_transport::channel_server::{ApiToken, Role};

use super::{Database, Transaction, execute, from_millis, millis, on, rows};
use crate::event::{Actor, Event};

/// A token as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct TokenRow {
    pub(crate) token: ApiToken,
    /// SHA-256 of the secret.
    pub(crate) hash: Digest,
}

/// A token as it is stored, without its hash.
type Stored = (String, String, String, Option<String>, i64, Option<i64>);

impl Database {
    /// Stores a new token and the event that says so.
    pub(crate) async fn create_token(&self, row: &TokenRow, at: At, actor: &Actor) -> sqlx::Result<()> {
        let token = &row.token;
        let event = Event::TokenCreated {
            id: token.id.clone(),
            name: token.name.clone(),
            role: token.role,
            organization: token.organization.clone(),
            expires: token.expires,
        };
        let mut transaction = self.write().await?;
        execute!(
            transaction,
            "INSERT INTO api_tokens (id, hash, name, role, organization, expires) VALUES ($1, $2, $3, $4, $5, $6)",
            &token.id,
            row.hash.hex(),
            &token.name,
            role_text(token.role),
            token.organization.as_ref().map(Organization::as_str),
            millis(token.expires)
        )?;
        transaction.append_blindly(at, actor, &[event]).await?;
        transaction.commit().await
    }

    /// Takes a token back; false if there is none, or it was taken back before.
    pub(crate) async fn revoke_token(&self, id: &str, at: At, actor: &Actor) -> sqlx::Result<bool> {
        let mut transaction = self.write().await?;
        let sql = "UPDATE api_tokens SET revoked = $1 WHERE id = $2 AND revoked IS NULL";
        if execute!(transaction, sql, millis(at), id)? == 0 {
            return Ok(false);
        }
        let event = Event::TokenRevoked { id: id.to_owned() };
        transaction.append_blindly(at, actor, &[event]).await?;
        transaction.commit().await.map(|()| true)
    }
}

impl Transaction {
    /// The token with this hash.
    pub(crate) async fn token(&mut self, hash: &Digest) -> sqlx::Result<Option<ApiToken>> {
        let sql = "SELECT id, name, role, organization, expires, revoked FROM api_tokens WHERE hash = $1";
        let stored: Vec<Stored> = rows!(self, sql, hash.hex())?;
        stored.into_iter().next().map(read).transpose()
    }

    /// All tokens by name.
    pub(crate) async fn tokens(&mut self) -> sqlx::Result<Vec<ApiToken>> {
        let sql = "SELECT id, name, role, organization, expires, revoked FROM api_tokens ORDER BY name, id";
        let stored: Vec<Stored> = rows!(self, sql)?;
        stored.into_iter().map(read).collect()
    }
}

fn read((id, name, role, organization, expires, revoked): Stored) -> sqlx::Result<ApiToken> {
    let decode = |what: &str| sqlx::Error::Decode(format!("a token's {what}").into());
    Ok(ApiToken {
        id,
        name,
        role: serde_json::from_value(role.into()).map_err(|_| decode("role"))?,
        organization: organization
            .map(|name| name.parse().map_err(|_| decode("organization")))
            .transpose()?,
        expires: from_millis(expires),
        revoked: revoked.map(from_millis),
    })
}

fn role_text(role: Role) -> String {
    serde_json::to_value(role).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
