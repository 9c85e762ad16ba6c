//! API tokens of people: hashes, names, roles.

use pdp_policies::{At, Digest, Organization};
use pdp_transport::channel_server::{ApiToken, Role};
use sqlx::Row;

use super::{Database, events, from_millis, millis};
use crate::event::{Actor, Event};

/// A token as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct TokenRow {
    pub(crate) token: ApiToken,
    /// SHA-256 of the secret.
    pub(crate) hash: Digest,
}

impl Database {
    /// Stores a new token and the event that says so.
    pub(crate) async fn create_token(&mut self, row: &TokenRow, at: At, actor: &Actor) -> sqlx::Result<()> {
        let token = &row.token;
        let event = Event::TokenCreated {
            id: token.id.clone(),
            name: token.name.clone(),
            role: token.role,
            organization: token.organization.clone(),
            expires: token.expires,
        };
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO api_tokens (id, hash, name, role, organization, expires) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&token.id)
        .bind(row.hash.hex())
        .bind(&token.name)
        .bind(role_text(token.role))
        .bind(token.organization.as_ref().map(Organization::as_str))
        .bind(millis(token.expires))
        .execute(&mut *transaction)
        .await?;
        events::append(&mut transaction, at, actor, &[event]).await?;
        transaction.commit().await
    }

    /// Takes a token back; false if there is none, or it was taken back before.
    pub(crate) async fn revoke_token(&mut self, id: &str, at: At, actor: &Actor) -> sqlx::Result<bool> {
        let mut transaction = self.begin().await?;
        let changed = sqlx::query("UPDATE api_tokens SET revoked = $1 WHERE id = $2 AND revoked IS NULL")
            .bind(millis(at))
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        if changed.rows_affected() == 0 {
            return Ok(false);
        }
        events::append(&mut transaction, at, actor, &[Event::TokenRevoked { id: id.to_owned() }]).await?;
        transaction.commit().await.map(|()| true)
    }

    /// The token with this hash.
    pub(crate) async fn token(&mut self, hash: &Digest) -> sqlx::Result<Option<ApiToken>> {
        let row = sqlx::query(
            "SELECT id, name, role, organization, expires, revoked FROM api_tokens WHERE hash = $1",
        );
        row.bind(hash.hex()).fetch_optional(&mut self.connection).await?.as_ref().map(read).transpose()
    }

    /// All tokens by name.
    pub(crate) async fn tokens(&mut self) -> sqlx::Result<Vec<ApiToken>> {
        let rows = sqlx::query(
            "SELECT id, name, role, organization, expires, revoked FROM api_tokens ORDER BY name, id",
        );
        rows.fetch_all(&mut self.connection).await?.iter().map(read).collect()
    }
}

fn read(row: &sqlx::sqlite::SqliteRow) -> sqlx::Result<ApiToken> {
    let decode = |what: &str| sqlx::Error::Decode(format!("a token's {what}").into());
    let (role, organization): (String, Option<String>) = (row.try_get(2)?, row.try_get(3)?);
    Ok(ApiToken {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        role: serde_json::from_value(role.into()).map_err(|_| decode("role"))?,
        organization: organization
            .map(|name| name.parse().map_err(|_| decode("organization")))
            .transpose()?,
        expires: from_millis(row.try_get(4)?),
        revoked: row.try_get::<Option<i64>, _>(5)?.map(from_millis),
    })
}

fn role_text(role: Role) -> String {
    serde_json::to_value(role).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
