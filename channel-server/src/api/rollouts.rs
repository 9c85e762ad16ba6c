//! `/v1/rollouts`: how far each level has come. Everything shown is computed from events and reports.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use pdp_policies::rollout::{
    Command, Fate, Halt, HaltScope, Order, Rollout, RolloutEvent, Tally, cap_of, command, overall, phase,
    superseded, tally,
};
use pdp_policies::trust::Catalog;
use pdp_policies::{At, Channel, Level, Line, Promotion, RingRules};
use pdp_transport::channel_server::{HaltView, Page, RingStatus, RingView, RolloutOrder, RolloutView};
use pdp_transport::cli::clock;

use super::organizations::check_reason;
use super::person::Person;
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
    let (fleet, now) = (server.fleet(), clock::now());
    let levels =
        catalog.channels().flat_map(|channel| channel.levels.iter().rev().map(move |level| (channel, level)));
    let items = levels
        .map(|(channel, (level, promotion))| view(&server, catalog, channel, *level, promotion, &fleet, now));
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
    let (fleet, now) = (server.fleet(), clock::now());
    Ok(Json(view(&server, catalog, channel, Level(level), promotion, &fleet, now)))
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
    let mut writer = server.writer.lock().await;
    let catalog = server.catalog.load();
    let catalog = catalog.as_ref().ok_or_else(Refusal::no_catalog)?;
    let (channel, promotion) = promoted(catalog, &line, level)?;
    let now = clock::now();
    if let Some(event) = decide(&server, channel, promotion, level, &person, &wanted, now)? {
        let event = Event::of_rollout(&line, level, promotion.sha256, event);
        server.record(&mut writer, &person.actor(), &[event]).await?;
    }
    Ok(Json(view(&server, catalog, channel, level, promotion, &server.fleet(), now)))
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
    let by = person.actor().to_string();
    let order = Order { command: &wanted.command, by: &by, reason: &wanted.reason };
    let tally = counts(server, channel, promotion, rollout, level, &fleet, now);
    command(&channel.plan, rollout, fate(channel, level), &tally, order).map_err(|code| {
        let name = wanted.command.kind().name();
        Refusal::conflict(code.as_str(), format!("`{name}` can't be done to level {level} now"))
            .hint(code.hint())
    })
}

fn fate(channel: &Channel, level: Level) -> Fate {
    Fate { withdrawn: channel.withdrawn.contains_key(&level), superseded: superseded(channel, level) }
}

fn promoted<'a>(catalog: &'a Catalog, line: &Line, level: Level) -> Answer<(&'a Channel, &'a Promotion)> {
    let missing = || Refusal::not_found(format!("level {level} of `{line}` isn't promoted"));
    let channel = catalog.channel(line).ok_or_else(missing)?;
    Ok((channel, channel.levels.get(&level).ok_or_else(missing)?))
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
    tally(&channel.plan, promotion, rollout, level, fleet.rows(), server.clock(now))
}

fn view(
    server: &Server,
    catalog: &Catalog,
    channel: &Channel,
    level: Level,
    promotion: &Promotion,
    fleet: &Fleet,
    now: At,
) -> RolloutView {
    let nothing = Rollout::default();
    let rollout = fleet.rollout(&channel.line, level).unwrap_or(&nothing);
    let tally = counts(server, channel, promotion, rollout, level, fleet, now);
    let fate = fate(channel, level);
    let ring = |rules: &RingRules| ring_view(channel, promotion, rollout, rules, &tally, fate);
    RolloutView {
        line: channel.line.clone(),
        level,
        sha256: promotion.sha256,
        tempo: promotion.tempo,
        created: rollout.created,
        braked: server.brake(catalog, channel, level, fleet, now).map(|code| code.to_string()),
        phase: overall(&channel.plan, rollout, fate),
        paused: rollout.paused,
        halts: rollout.halts.iter().map(halt_view).collect(),
        attempt: rollout.attempt(),
        rings: channel.plan.rings.iter().map(ring).collect(),
    }
}

fn halt_view((scope, halt): (&HaltScope, &Halt)) -> HaltView {
    let Halt { at, cause, resume_asked, .. } = halt.clone();
    HaltView { scope: scope.clone(), at, cause, resume_asked }
}

fn ring_view(
    channel: &Channel,
    promotion: &Promotion,
    rollout: &Rollout,
    rules: &RingRules,
    tally: &Tally,
    fate: Fate,
) -> RingView {
    let counts = tally.census(&rules.name);
    let progress = rollout.rings.get(&rules.name);
    let waves = rules.waves.len();
    let pace = channel.plan.pace(promotion.tempo, &rules.name);
    let soaked_at = progress.and_then(|p| Some(p.share_reached?.plus(pace?.soak)));
    let status = match progress {
        None => RingStatus::Waiting,
        Some(progress) if progress.wave >= waves => RingStatus::Passed,
        Some(_) => RingStatus::Open,
    };
    RingView {
        ring: rules.name.clone(),
        status,
        phase: phase(&channel.plan, rollout, &rules.name, fate),
        opens_at: promotion.opens_at.get(&rules.name).copied(),
        opened: progress.map(|progress| progress.opened),
        wave: progress.map_or(0, |progress| (progress.wave + 1).min(waves)),
        waves,
        cap: progress.map(|p| cap_of(rules, p.wave, counts.members)).filter(|cap| *cap != u32::MAX),
        starts: rollout.starts_in(&rules.name),
        soaked_at,
        failures: tally.failures(&rules.name).all,
        budget: rules.failure_budget,
        census: counts,
    }
}
