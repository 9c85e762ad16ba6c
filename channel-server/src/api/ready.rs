//! `POST /v1/data-planes/{organization}/{data plane}/ready`: the gate is open, may I start?
//!
//! The only poll that writes: the grant is in the event log before the answer leaves, under the one writer,
//! so that caps are exact for any number of askers.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::response::Response;
use pdp_policies::instruction::{Assignment, Ready, Start};
use pdp_policies::rollout::{Grant, RolloutEvent, grant};
use pdp_policies::{At, Line, ObstacleCode, PdpId};
use pdp_transport::cli::clock;

use super::assignment::{self, Following};
use super::data_plane::DataPlane;
use super::{Answer, Refusal};
use crate::event::{Actor, Event};
use crate::server::Server;

pub(crate) async fn post(
    State(server): State<Arc<Server>>,
    DataPlane(pdp): DataPlane,
    query: Result<Query<Following>, QueryRejection>,
    body: Result<Json<Ready>, JsonRejection>,
) -> Answer<Response> {
    let (line, ready) = (query?.0.line, body?.0);
    let now = clock::now();
    let mut writer = server.writer.lock().await;
    let (given, event) = decide(&server, &pdp, &line, &ready, now)?;
    if let Some(event) = event {
        server.record(&mut writer, &Actor::DataPlane(pdp.clone()), &[event]).await?;
        server.metrics.granted();
    }
    drop(writer);
    let mut told: Assignment = assignment::decide(&server, &server.fleet(), &pdp, &line, now)?;
    match given {
        Ok(until) => {
            let (level, sha256, attempt) = (ready.level, ready.sha256, ready.attempt);
            told.start = Some(Start { level, sha256, attempt, until });
        }
        Err(code) => {
            (told.start, told.hold) = (None, vec![code]);
        }
    }
    // No tag: the next poll shall compare with what it would be told then.
    assignment::answer(&server, told, "")
}

type Given = (Result<At, ObstacleCode>, Option<Event>);

/// Until when it may start, or the code of what stands in the way; and the event that must be written first.
fn decide(server: &Server, pdp: &PdpId, line: &Line, ready: &Ready, now: At) -> Answer<Given> {
    let catalog = server.catalog.load();
    let catalog = catalog.as_ref().ok_or_else(Refusal::no_catalog)?;
    let unknown = || {
        tracing::warn!(%pdp, level = %ready.level, "ready for a level that the channel doesn't promote");
        server.metrics.refused("UnknownLevel");
        Refusal::unprocessable(
            "UnknownLevel",
            format!("the channel doesn't promote level {} so", ready.level),
        )
    };
    let channel = catalog.channel(line).ok_or_else(unknown)?;
    let promotion =
        channel.levels.get(&ready.level).filter(|p| p.sha256 == ready.sha256).ok_or_else(unknown)?;
    let fleet = server.fleet();
    let Some(rollout) = fleet.rollout(line, ready.level) else {
        return Ok((Err(ObstacleCode::RingNotOpenYet), None));
    };
    let ring = fleet.ring(pdp).ok_or_else(|| Refusal::not_found("the organization has no ring"))?;
    let brake = server.brake(catalog, channel, ready.level, now);
    let members = fleet.members(ring);
    let plan = &channel.plan;
    Ok(match grant(plan, promotion, rollout, members, pdp, ring, ready.attempt, brake, now) {
        Err(code) => (Err(code), None),
        Ok(Grant::Again { until }) => (Ok(until), None),
        Ok(Grant::New { until }) => {
            let (pdp, ring) = (pdp.clone(), ring.clone());
            let event = RolloutEvent::Granted { pdp, ring, attempt: ready.attempt, until };
            (Ok(until), Some(Event::of_rollout(line, ready.level, promotion.sha256, event)))
        }
    })
}
