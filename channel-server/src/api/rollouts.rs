//! `/v1/rollouts`: how far each level has come. Everything shown is computed from events and reports.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use pdp_policies::rollout::{
    Command, CommandRefusal, HaltScope, Order, Rollout, RolloutEvent, Tally, command, tally,
};
use pdp_policies::trust::Catalog;
use pdp_policies::{At, Channel, Level, Line, Promotion};
use pdp_transport::channel_server::{Page, RolloutOrder, RolloutView};

use super::organizations::check_reason;
use super::person::Person;
use super::rollout_view::{Looked, fate, view};
use super::{Answer, Refusal};
use crate::event::Event;
use crate::fleet::Fleet;
use crate::server::Server;

/// `GET /v1/rollouts`: all lines, newest level first.
pub(crate) async fn list(
    State(server): State<Arc<Server>>,
    person: Person,
) -> Answer<Json<Page<RolloutView>>> {
    person.read_all()?;
    let catalog = server.catalog.load();
    let catalog = catalog.as_ref().ok_or_else(Refusal::no_catalog)?;
    let (fleet, now) = (server.fleet(), server.now());
    let levels =
        catalog.channels().flat_map(|channel| channel.levels.iter().rev().map(move |level| (channel, level)));
    let items = levels.map(|(channel, (level, promotion))| {
        view(&server, Looked { catalog, channel, promotion, level: *level }, &fleet, now)
    });
    Ok(Json(Page { items: items.collect(), next: None }))
}

/// `GET /v1/rollouts/{line}/{level}`
pub(crate) async fn show(
    State(server): State<Arc<Server>>,
    person: Person,
    path: Result<Path<(Line, u32)>, PathRejection>,
) -> Answer<Json<RolloutView>> {
    let Path((line, level)) = path?;
    person.read_all()?;
    let catalog = server.catalog.load();
    let catalog = catalog.as_ref().ok_or_else(Refusal::no_catalog)?;
    let (channel, promotion) = promoted(catalog, &line, Level(level))?;
    let (fleet, now) = (server.fleet(), server.now());
    let looked = Looked { catalog, channel, promotion, level: Level(level) };
    Ok(Json(view(&server, looked, &fleet, now)))
}

/// `POST /v1/rollouts/{line}/{level}/commands`: what people may do to a rollout, as `docs/rollout-states.md` says.
pub(crate) async fn order(
    State(server): State<Arc<Server>>,
    person: Person,
    path: Result<Path<(Line, u32)>, PathRejection>,
    body: Result<Json<RolloutOrder>, JsonRejection>,
) -> Answer<Json<RolloutView>> {
    let (Path((line, level)), wanted) = (path?, body?.0);
    person.steer()?;
    check_reason(&wanted.reason)?;
    let level = Level(level);
    let writer = server.write().await?;
    let catalog = server.catalog.load();
    let catalog = catalog.as_ref().ok_or_else(Refusal::no_catalog)?;
    let (channel, promotion) = promoted(catalog, &line, level)?;
    let now = server.now();
    // What holds may be said at any server; what lets go needs the catalog that all follow.
    let holds = matches!(wanted.command, Command::Halt { .. } | Command::Pause {});
    if !holds && !server.follows_newest(catalog, &server.fleet()) {
        return Err(Refusal::catalog_behind());
    }
    let event = decide(&server, channel, promotion, level, &person, &wanted, now)?;
    let recorded = event.is_some();
    if let Some(event) = event {
        let event = Event::of_rollout(&line, level, promotion.sha256, event);
        writer.record(&person.actor(), &[event]).await?;
    }
    let looked = Looked { catalog, channel, promotion, level };
    let view = view(&server, looked, &server.fleet(), now);
    Ok(Json(RolloutView { recorded: Some(recorded), ..view }))
}

/// The engine's word on it; none if it is so already.
fn decide(
    server: &Server,
    channel: &Channel,
    promotion: &Promotion,
    level: Level,
    person: &Person,
    wanted: &RolloutOrder,
    now: At,
) -> Answer<Option<RolloutEvent>> {
    let (fleet, nothing) = (server.fleet(), Rollout::default());
    let rollout = fleet.rollout(&channel.line, level).unwrap_or(&nothing);
    if let Command::Skip { pdp } = &wanted.command
        && !fleet.planes.contains_key(pdp)
    {
        return Err(Refusal::not_found(format!("data plane `{pdp}` isn't enrolled")));
    }
    // A name that nobody has would be halted without halting anybody.
    if let Command::Halt { scope: HaltScope::Organization { organization } } = &wanted.command
        && !fleet.organizations.contains_key(organization)
    {
        return Err(Refusal::not_found(format!("no organization `{organization}`"))
            .hint("`publisher org list` shows all"));
    }
    let by = person.actor().to_string();
    let order = Order { command: &wanted.command, by: &by, reason: &wanted.reason };
    let tally = counts(server, channel, promotion, rollout, level, &fleet, now);
    command(&channel.plan, rollout, fate(channel, level), &tally, order).map_err(|code| {
        let name = wanted.command.kind().name();
        Refusal::conflict(code.as_str(), format!("`{name}` can't be done to level {level} now")).hint(
            &match code {
                CommandRefusal::UnknownRing => format!("the plan has: {}", rings(channel)),
                _ => code.hint().to_owned(),
            },
        )
    })
}

fn promoted<'a>(catalog: &'a Catalog, line: &Line, level: Level) -> Answer<(&'a Channel, &'a Promotion)> {
    let channel = catalog.channel(line).ok_or_else(|| {
        let lines: Vec<_> = catalog.channels().map(|channel| channel.line.as_str()).collect();
        Refusal::not_found(format!("no line `{line}`")).hint(&format!("there are: {}", lines.join(", ")))
    })?;
    let promotion = channel.levels.get(&level).ok_or_else(|| {
        let newest: Vec<_> = channel.levels.keys().rev().take(5).map(ToString::to_string).collect();
        Refusal::not_found(format!("level {level} of `{line}` isn't promoted"))
            .hint(&format!("the newest that are: {}", newest.join(", ")))
    })?;
    Ok((channel, promotion))
}

fn rings(channel: &Channel) -> String {
    let names: Vec<_> = channel.plan.rings.iter().map(|rules| rules.name.as_str()).collect();
    names.join(", ")
}

fn counts(
    server: &Server,
    channel: &Channel,
    promotion: &Promotion,
    rollout: &Rollout,
    level: Level,
    fleet: &Fleet,
    now: At,
) -> Tally {
    tally(&channel.plan, promotion, rollout, level, fleet.rows(), server.clock(fleet, now))
}
