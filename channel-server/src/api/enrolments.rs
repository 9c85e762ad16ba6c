//! `POST /v1/enrolments`: a data plane introduces itself, once, with a one-time token.
//!
//! Same token and key: same answer, so a lost answer is no harm. Same token, other key: refused and recorded.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use pdp_policies::instruction::{Enrolled, Enrolment};
use pdp_policies::{API_VERSION, Digest, PdpId, Span};

use super::{Answer, Refusal};
use crate::event::{self, Actor, Event};
use crate::public_key::PublicKey;
use crate::server::Server;

/// When to ask for the first assignment.
const FIRST_POLL: Span = Span::from_seconds(5);
/// A version text is short.
const MAX_VERSION: usize = 64;

/// What becomes of an enrolment.
enum Verdict {
    /// It was taken before: the same answer again.
    Known(Enrolled),
    /// It is new: write it down, then answer.
    New(event::Enrolment),
    /// The token was used with another key.
    Stolen(Event),
}

pub(crate) async fn post(
    State(server): State<Arc<Server>>,
    body: Result<Json<Enrolment>, JsonRejection>,
) -> Answer<Json<Enrolled>> {
    let enrolment = body.map_err(|rejection| server.refused_unread("enrolment", rejection.into()))?.0;
    let pdp =
        PdpId { organization: enrolment.organization.clone(), data_plane: enrolment.data_plane.clone() };
    let outcome = enrol(&server, &pdp, &enrolment).await;
    if let Err(refusal) = &outcome {
        server.refused(&pdp, "enrolment", refusal);
    }
    outcome.map(Json)
}

async fn enrol(server: &Server, pdp: &PdpId, enrolment: &Enrolment) -> Answer<Enrolled> {
    let writer = server.write().await?;
    let actor = Actor::DataPlane(pdp.clone());
    match judge(server, pdp, enrolment)? {
        Verdict::Known(answer) => Ok(answer),
        Verdict::New(new) => {
            let answer = answer(pdp, &new.ring);
            writer.record(&actor, &[Event::Enrolled(Box::new(new))]).await?;
            Ok(answer)
        }
        Verdict::Stolen(event) => {
            let Event::EnrolmentRefused { token, public_key, .. } = &event else { return Err(used()) };
            let recorded = server.fleet().refused.contains(&(*token, *public_key));
            if !recorded {
                writer.record(&actor, &[event]).await?;
            }
            Err(used())
        }
    }
}

fn judge(server: &Server, pdp: &PdpId, enrolment: &Enrolment) -> Answer<Verdict> {
    let now = server.now();
    if enrolment.api_version != API_VERSION {
        return Err(Refusal::bad("Unreadable", format!("apiVersion is not {API_VERSION}")));
    }
    if enrolment.pdp_sync.len() > MAX_VERSION || enrolment.pdp_sync.chars().any(char::is_control) {
        return Err(Refusal::bad("Unreadable", "pdpSync is not a version"));
    }
    let key = PublicKey::from_pem(&enrolment.public_key)
        .ok_or_else(|| Refusal::bad("BadKey", "publicKey is not an Ed25519 public key (SPKI PEM)"))?;
    let hash = Digest::of(enrolment.token.as_bytes());
    let fleet = server.fleet();
    let unknown = || Refusal::login("the enrolment token is unknown, expired, or for another data plane");
    let public_key = Digest::of(key.raw());
    if let Some(plane) = fleet.planes.get(pdp).filter(|plane| plane.token == hash) {
        if plane.key == key && plane.revoked.is_none() {
            return Ok(Verdict::Known(answer(pdp, &plane.told)));
        }
        let (organization, data_plane) = (pdp.organization.clone(), pdp.data_plane.clone());
        return Ok(Verdict::Stolen(Event::EnrolmentRefused {
            organization,
            data_plane,
            token: hash,
            public_key,
        }));
    }
    let token = fleet.tokens.get(&hash).filter(|token| token.pdp == *pdp).ok_or_else(unknown)?;
    if token.expires <= now {
        return Err(unknown());
    }
    // Its own key with a new token: it lost the server's answer together with the old token.
    let own = fleet.planes.get(pdp).is_some_and(|plane| plane.key == key && plane.revoked.is_none());
    if !own && fleet.keys.contains(&key) {
        let message = "this key was enrolled before";
        return Err(
            Refusal::conflict("KeyInUse", message).hint("was the identity copied? each one makes its own")
        );
    }
    let ring = fleet.ring(pdp).cloned().ok_or_else(unknown)?;
    Ok(Verdict::New(event::Enrolment {
        organization: pdp.organization.clone(),
        data_plane: pdp.data_plane.clone(),
        token: hash,
        public_key: key.der().to_pem(),
        cluster_id: enrolment.cluster_id,
        pdp_sync: enrolment.pdp_sync.clone(),
        ring,
    }))
}

fn answer(pdp: &PdpId, ring: &pdp_policies::Ring) -> Enrolled {
    Enrolled { id: pdp.clone(), ring: ring.clone(), poll_after: FIRST_POLL }
}

fn used() -> Refusal {
    Refusal::conflict("TokenUsed", "the token was used with another key; this was recorded")
        .hint("if it wasn't you, someone stole the token: shut the data plane out and make a new one")
}
