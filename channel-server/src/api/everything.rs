//! `/v1/everything`: one brake for all rollouts of all lines.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use pdp_transport::channel_server::{EverythingOrder, EverythingView};

use super::organizations::check_reason;
use super::person::Person;
use super::{Answer, Refusal};
use crate::event::Event;
use crate::everything;
use crate::server::Server;

/// `GET /v1/everything`
pub(crate) async fn show(State(server): State<Arc<Server>>, person: Person) -> Answer<Json<EverythingView>> {
    person.read_all()?;
    Ok(Json(view(&server)))
}

/// `POST /v1/everything/halt`: nothing starts anywhere until two people resume. Nothing that runs is touched.
pub(crate) async fn halt(
    State(server): State<Arc<Server>>,
    person: Person,
    body: Result<Json<EverythingOrder>, JsonRejection>,
) -> Answer<Json<EverythingView>> {
    let EverythingOrder { reason } = body?.0;
    person.steer()?;
    check_reason(&reason)?;
    let writer = server.write().await?;
    // Again if somebody asked to resume: that is taken back.
    let stands = server.fleet().everything.as_ref().is_some_and(|halt| halt.resume_asked.is_none());
    if !stands {
        let by = person.actor().to_string();
        writer.record(&person.actor(), &[Event::EverythingHalted { by, reason }]).await?;
    }
    Ok(Json(view(&server)))
}

/// `POST /v1/everything/resume`: the first person asks, the second one resumes.
pub(crate) async fn resume(
    State(server): State<Arc<Server>>,
    person: Person,
    body: Result<Json<EverythingOrder>, JsonRejection>,
) -> Answer<Json<EverythingView>> {
    let EverythingOrder { reason } = body?.0;
    person.steer()?;
    check_reason(&reason)?;
    let writer = server.write().await?;
    let by = person.actor().to_string();
    let event = everything::resume(server.fleet().everything.as_ref(), by, reason);
    let event = event.map_err(|code| {
        Refusal::conflict(code.as_str(), "`resume` of everything needs someone else now").hint(code.hint())
    })?;
    if let Some(event) = event {
        writer.record(&person.actor(), &[event]).await?;
    }
    Ok(Json(view(&server)))
}

fn view(server: &Server) -> EverythingView {
    let fleet = server.fleet();
    let halt = fleet.everything.as_ref();
    EverythingView {
        halted: halt.map(|halt| halt.at),
        cause: halt.map(|halt| format!("{}: {}", halt.by, halt.reason)),
        resume_asked: halt.and_then(|halt| halt.resume_asked.clone()),
    }
}
