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
use pdp_policies::rollout::{Grant, RolloutEvent, Wish, grant};
use pdp_policies::{At, Line, ObstacleCode, PdpId};

use super::assignment::{self, Following};
use super::data_plane::{self, DataPlane};
use super::{Answer, Refusal};
use crate::event::{Actor, Event};
use crate::server::Server;

pub(crate) async fn post(
    State(server): State<Arc<Server>>,
    DataPlane(pdp): DataPlane,
    query: Result<Query<Following>, QueryRejection>,
    body: Result<Json<Ready>, JsonRejection>,
) -> Answer<Response> {
    let outcome = async { answer(&server, &pdp, &query?.0.line, &body?.0).await }.await;
    if let Err(refusal) = &outcome {
        server.refused(&pdp, "ready", refusal);
    }
    outcome
}

async fn answer(server: &Server, pdp: &PdpId, line: &Line, ready: &Ready) -> Answer<Response> {
    let now = server.now();
    let mut given = decide(server, pdp, line, ready, now)?.0;
    // A no may be a moment old, and the next poll asks again; a yes holds for all servers.
    if given.is_ok() {
        given = grant_it(server, pdp, line, ready, now).await?;
    }
    let mut told: Assignment = assignment::decide(server, &server.fleet(), pdp, line, now)?;
    match given {
        Ok((attempt, until)) => {
            let (level, sha256) = (ready.level, ready.sha256);
            told.start = Some(Start { level, sha256, attempt, until });
        }
        Err(code) => {
            (told.start, told.hold) = (None, vec![code]);
        }
    }
    // No tag: the next poll shall compare with what it would be told then.
    assignment::answer(server, told, "")
}

type Given = Result<(u32, At), ObstacleCode>;

/// Decides alone, on the newest state, and writes it down.
async fn grant_it(server: &Server, pdp: &PdpId, line: &Line, ready: &Ready, now: At) -> Answer<Given> {
    let writer = server.write().await?;
    // Another server may have shut it out meanwhile.
    data_plane::is_in(&server.fleet(), pdp)?;
    let (given, event) = decide(server, pdp, line, ready, now)?;
    if let Some(event) = event {
        writer.record(&Actor::DataPlane(pdp.clone()), &[event]).await?;
        server.metrics.granted();
    }
    Ok(given)
}

/// As which attempt and until when it may start, or the code of what stands in the way; and the event that must be written first.
fn decide(
    server: &Server,
    pdp: &PdpId,
    line: &Line,
    ready: &Ready,
    now: At,
) -> Answer<(Given, Option<Event>)> {
    let catalog = server.catalog.load();
    let catalog = catalog.as_ref().ok_or_else(Refusal::no_catalog)?;
    // Before a start is counted that nobody would believe in.
    if !server.directs(catalog) {
        return Err(Refusal::not_director());
    }
    let unknown = || {
        Refusal::unprocessable(
            "UnknownLevel",
            format!("the channel doesn't promote level {} so", ready.level),
        )
    };
    let channel = catalog.channel(line).ok_or_else(unknown)?;
    let promotion =
        channel.levels.get(&ready.level).filter(|p| p.sha256 == ready.sha256).ok_or_else(unknown)?;
    let fleet = server.fleet();
    let ring = fleet.ring(pdp).ok_or_else(|| Refusal::not_found("the organization has no ring"))?;
    let brake = server.brake(catalog, channel, ready.level, &fleet, now);
    let (level, members) = (ready.level, fleet.members(ring, promotion));
    let wish = Wish { pdp, ring, members, level, attempt: ready.attempt };
    let heard = |pdp: &PdpId| fleet.planes.get(pdp).and_then(|plane| plane.heard);
    let rollouts = |level| fleet.rollout(line, level);
    Ok(match grant(channel, rollouts, wish, heard, brake, server.clock(&fleet, now)) {
        Err(code) => (Err(code), None),
        Ok(Grant::Again { attempt, until }) => (Ok((attempt, until)), None),
        Ok(Grant::New { attempt, until }) => {
            let sick = fleet.planes.get(pdp).is_some_and(|plane| plane.wellness.is_sick());
            let event = RolloutEvent::Granted { pdp: pdp.clone(), ring: ring.clone(), attempt, until, sick };
            (Ok((attempt, until)), Some(Event::of_rollout(line, level, promotion.sha256, event)))
        }
    })
}
