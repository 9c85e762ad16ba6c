//! `POST /v1/data-planes/{organization}/{data plane}/enrolment-tokens`: a one-time token, shown once.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use pdp_policies::{PdpId, Span};
use pdp_transport::channel_server::{EnrolmentToken, EnrolmentTokenRequest};

use super::named::Named;
use super::person::Person;
use super::{Answer, Refusal};
use crate::event::Event;
use crate::secret;
use crate::server::Server;

/// A token waits no longer than this for its data plane.
const LONGEST_LIFE: Span = Span::from_seconds(30 * 86_400);

pub(crate) async fn post(
    State(server): State<Arc<Server>>,
    person: Person,
    Named(PdpId { organization, data_plane }): Named,
    body: Result<Json<EnrolmentTokenRequest>, JsonRejection>,
) -> Answer<Json<EnrolmentToken>> {
    let life = body?.0.life;
    person.enrol(&organization)?;
    if life > LONGEST_LIFE || life == Span::default() {
        return Err(Refusal::bad("BadLife", format!("a token may live up to {LONGEST_LIFE}")));
    }
    let writer = server.write().await?;
    if !server.fleet().organizations.contains_key(&organization) {
        return Err(Refusal::not_found(format!("no organization `{organization}`"))
            .hint("`publisher org add` adds one, with its ring"));
    }
    let (token, hash) = secret::new("pdpe_").map_err(|_| Refusal::internal("no randomness"))?;
    let expires = server.now().plus(life);
    let event = Event::EnrolmentTokenIssued { organization, data_plane, hash, expires };
    writer.record(&person.actor(), &[event]).await?;
    Ok(Json(EnrolmentToken { token, expires }))
}
