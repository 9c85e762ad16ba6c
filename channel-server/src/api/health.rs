//! `/healthz`, `/readyz`, `/metrics`: for those who run the server.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use pdp_policies::rollout::WaitsFor;
use pdp_policies::trust::Catalog;
use pdp_policies::{Level, Line};

use super::rollout_view::{Looked, waiting};
use super::{Answer, Refusal};
use crate::fleet::Fleet;
use crate::metrics::Moment;
use crate::server::Server;

/// The process answers.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// It can do its work: the catalog is there and the event log isn't behind.
pub(crate) async fn ready(State(server): State<Arc<Server>>) -> Answer<&'static str> {
    if *server.stopping.borrow() {
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "Stopping", "the server is stopping"));
    }
    if server.catalog.load().is_none() {
        return Err(Refusal::no_catalog());
    }
    if let Some(code) = server.lost.load().as_deref() {
        let message = "the event log can't be followed; nothing is granted here";
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
            .hint("the server's log says why; see `channel-server verify-events`"));
    }
    let catalog = server.catalog.load();
    if !catalog.as_ref().is_none_or(|catalog| server.directs(catalog)) {
        return Err(Refusal::not_director());
    }
    if !catalog.as_ref().is_none_or(|catalog| server.follows_newest(catalog, &server.fleet())) {
        return Err(Refusal::catalog_behind());
    }
    if server.behind.load(Relaxed) {
        let message = "the event log is behind the published ring state, or wasn't compared with it yet; nothing is granted";
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "LogBehind", message)
            .hint("can Git be reached? was an old backup restored? see `channel-server restore`"));
    }
    Ok("ready\n")
}

/// In Prometheus' format.
pub(crate) async fn metrics(State(server): State<Arc<Server>>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], server.metrics.text(&moment(&server)))
}

fn moment(server: &Server) -> Moment {
    let (catalog, fleet) = (server.catalog.load(), server.fleet());
    let catalog = catalog.as_ref();
    let withdrawn = |line: &Line, level: Level| {
        let channel = catalog.and_then(|catalog| catalog.channel(line));
        channel.is_some_and(|channel| channel.withdrawn.contains_key(&level))
    };
    let rollouts = fleet.rollouts.iter().filter(|((line, level), _)| !withdrawn(line, *level));
    let rollouts: Vec<_> = rollouts.map(|(_, rollout)| rollout).collect();
    Moment {
        data_planes: fleet.planes.len(),
        catalog_signed: catalog.map_or(0, |catalog| catalog.signed_at().unix()),
        roles: catalog.map(|catalog| catalog.expiries()),
        halted: rollouts.iter().filter(|rollout| !rollout.halts.is_empty()).count(),
        paused: rollouts.iter().filter(|rollout| rollout.paused.is_some()).count(),
        waiting_for_people: catalog.map_or(0, |catalog| waiting_for_people(server, catalog, &fleet)),
        everything: fleet.everything.is_some(),
        log_lost: server.lost.load().is_some(),
        not_director: catalog.is_some_and(|catalog| !server.directs(catalog)),
    }
}

/// How many rollouts wait for people. Those that are through, which are most, cost nothing.
fn waiting_for_people(server: &Server, catalog: &Catalog, fleet: &Fleet) -> usize {
    let now = server.now();
    let levels =
        catalog.channels().flat_map(|channel| channel.levels.iter().map(move |level| (channel, level)));
    let waits = levels.filter(|(channel, (level, promotion))| {
        let rollout = fleet.rollout(&channel.line, **level).filter(|rollout| !rollout.rests(&channel.plan));
        rollout.is_some_and(|rollout| {
            let looked = Looked { catalog, channel, promotion, level: **level };
            matches!(waiting(server, looked, rollout, fleet, now), Some(WaitsFor::People { .. }))
        })
    });
    waits.count()
}
