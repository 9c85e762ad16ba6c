//! Who asks: a person by an API token. What a role may do stands here and nowhere else.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use pdp_policies::{Digest, Organization};
use pdp_transport::channel_server::Role;

use super::{Answer, Refusal};
use crate::event::Actor;
use crate::server::Server;

/// A person who proved who they are.
#[derive(Debug)]
pub(crate) struct Person {
    name: String,
    role: Role,
    organization: Option<Organization>,
}

impl FromRequestParts<Arc<Server>> for Person {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Refusal> {
        let token = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer "));
        let refuse = |why: &str| {
            tracing::warn!(path = parts.uri.path(), why, "login refused");
            server.metrics.refused("LoginNeeded");
            Refusal::login(why)
                .hint("`channel-server token create` makes a token; give it as PUBLISHER_TOKEN")
        };
        let token = token.ok_or_else(|| refuse("an API token is needed"))?;
        // Read from the database each time: a token that was taken back is good for nothing at once.
        let hash = Digest::of(token.as_bytes());
        // Nobody is logged in yet: whoever asks a lot must not take all connections to the database.
        let _turn = server.lookups.acquire().await.map_err(|e| Refusal::internal(&e.to_string()))?;
        let found = server.read().await?.token(&hash).await.map_err(|e| server.failed(&e))?;
        let token = found.ok_or_else(|| refuse("the API token is unknown"))?;
        if token.revoked.is_some() {
            return Err(refuse("the API token was taken back"));
        }
        if token.expires <= server.now() {
            return Err(refuse("the API token has expired"));
        }
        Ok(Self { name: token.name, role: token.role, organization: token.organization })
    }
}

impl Person {
    pub(crate) fn actor(&self) -> Actor {
        Actor::Person(self.name.clone())
    }

    /// True if this person may see what belongs to `organization`.
    pub(crate) fn sees(&self, organization: &Organization) -> bool {
        match self.role {
            Role::Admin | Role::ReleaseEngineer | Role::Auditor => {
                self.organization.as_ref().is_none_or(|own| own == organization)
            }
            Role::OrgApprover | Role::OrgViewer => self.organization.as_ref() == Some(organization),
        }
    }

    /// May read what belongs to `organization`.
    pub(crate) fn read(&self, organization: &Organization) -> Answer<()> {
        self.allow(self.sees(organization), "read another organization")
    }

    /// May read what belongs to everybody: rollouts, the event log.
    pub(crate) fn read_all(&self) -> Answer<()> {
        let all = matches!(self.role, Role::Admin | Role::ReleaseEngineer | Role::Auditor);
        self.allow(all && self.organization.is_none(), "read what belongs to all organizations")
    }

    /// May enrol and shut out data planes of `organization`.
    pub(crate) fn enrol(&self, organization: &Organization) -> Answer<()> {
        let role = matches!(self.role, Role::Admin | Role::ReleaseEngineer | Role::OrgApprover);
        self.allow(role && self.sees(organization), "enrol data planes here")
    }

    /// May say which ring somebody is in, and move rollouts.
    pub(crate) fn steer(&self) -> Answer<()> {
        let role = matches!(self.role, Role::Admin | Role::ReleaseEngineer);
        self.allow(role && self.organization.is_none(), "change rings and rollouts")
    }

    fn allow(&self, allowed: bool, what: &str) -> Answer<()> {
        if allowed {
            return Ok(());
        }
        tracing::warn!(actor = %self.actor(), role = ?self.role, what, "not allowed");
        Err(Refusal::forbidden(&format!("the role of this token doesn't let it {what}"))
            .hint("ask an admin for a token with another role"))
    }
}
