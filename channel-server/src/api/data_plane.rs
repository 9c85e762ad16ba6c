//! Who asks: a data plane by its short-lived token (JWT, EdDSA), signed with the key that it enrolled.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::RequestPartsExt;
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use pdp_policies::{At, CLOCK_TOLERANCE, Digest, PdpId};
use pdp_transport::channel_server::{AUDIENCE, Claims, TOKEN_LIFE};

use super::Refusal;
use super::named::Named;
use crate::fleet::{Fleet, Plane};
use crate::public_key::PublicKey;
use crate::server::Server;
use crate::writer::WriteFailed;

/// A data plane that proved who it is, and is the one that the path names.
#[derive(Debug)]
pub(crate) struct DataPlane(pub(crate) PdpId);

impl FromRequestParts<Arc<Server>> for DataPlane {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Refusal> {
        let Named(pdp) = parts.extract_with_state(server).await?;
        let token = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer "));
        let token =
            token.ok_or_else(|| Refusal::login("a token signed by the data plane's key is needed"))?;
        let now = server.now();
        let outcome = check(server, &pdp, token, now);
        if let Err(refusal) = &outcome {
            server.refused(&pdp, "login", refusal);
        }
        outcome.map(|()| Self(pdp))
    }
}

fn check(server: &Server, pdp: &PdpId, token: &str, now: At) -> Result<(), Refusal> {
    let fleet = server.fleet();
    // Whoever can't follow the log doesn't know who was enrolled elsewhere.
    let lost = server.lost.load().as_deref().copied().filter(|_| !fleet.planes.contains_key(pdp));
    if let Some(code) = lost {
        return Err(WriteFailed { code }.into());
    }
    let plane = is_in(&fleet, pdp)?;
    let hash = Digest::of(token.as_bytes());
    if !remembered(plane, &hash, now) {
        let expires = verify(&plane.key, pdp, token, now)?;
        if let Ok(mut session) = plane.session.lock() {
            *session = Some((hash, expires));
        }
    }
    plane.seen.fetch_max(now.unix(), Relaxed);
    Ok(())
}

/// A data plane that is enrolled and wasn't shut out.
pub(super) fn is_in<'a>(fleet: &'a Fleet, pdp: &PdpId) -> Result<&'a Plane, Refusal> {
    let plane = fleet.planes.get(pdp).ok_or_else(stranger)?;
    match plane.revoked {
        Some(_) => {
            Err(Refusal::login("this data plane was shut out").hint("enrol it again with a new token"))
        }
        None => Ok(plane),
    }
}

/// True for the very token that was verified before and hasn't expired.
fn remembered(plane: &Plane, hash: &Digest, now: At) -> bool {
    let session = plane.session.lock().ok().and_then(|session| *session);
    session.is_some_and(|(known, expires)| known == *hash && now.unix() < expires)
}

/// Checks signature, algorithm, audience, subject and times; says when the token expires (Unix seconds).
fn verify(key: &PublicKey, pdp: &PdpId, token: &str, now: At) -> Result<i64, Refusal> {
    // One algorithm, whatever the token's header wishes; times by our own clock below.
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["aud", "exp", "sub"]);
    validation.validate_exp = false;
    let token = decode::<Claims>(token, &DecodingKey::from_ed_der(key.raw()), &validation);
    let claims = token.map_err(|_| stranger())?.claims;
    if claims.sub != pdp.to_string() {
        return Err(Refusal::forbidden("the token is for another data plane"));
    }
    let lives = claims.exp.saturating_sub(claims.iat);
    if claims.iat > now.unix() + CLOCK_TOLERANCE || lives > TOKEN_LIFE.seconds() {
        return Err(
            Refusal::login("the token is dated ahead, or lives too long").hint("check the clock (NTP)")
        );
    }
    // A data plane whose clock is slow within the tolerance is let in, too.
    if claims.exp + CLOCK_TOLERANCE <= now.unix() {
        return Err(Refusal::login("the token has expired").hint("check the clock (NTP)"));
    }
    Ok(claims.exp)
}

/// The same words for an unknown data plane and a wrong signature: who is enrolled is nobody's business.
fn stranger() -> Refusal {
    Refusal::login("this is not a token of an enrolled data plane").hint("enrol first")
}
