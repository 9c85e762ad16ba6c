//! `/v1/rollouts`: how far each level has come. Everything shown is computed from events and reports.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use pdp_policies::rollout::{Census, Rollout, RolloutEvent, cap_of, census};
use pdp_policies::trust::Catalog;
use pdp_policies::{At, Channel, Level, Line, Promotion, Ring, RingRules};
use pdp_transport::channel_server::{Acknowledgement, Page, RingStatus, RingView, RolloutView};
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

/// `POST /v1/rollouts/{line}/{level}/acknowledgements`: passes a wave that has nobody to prove it.
pub(crate) async fn acknowledge(
    State(server): State<Arc<Server>>,
    person: Person,
    path: Result<Path<(Line, u32)>, PathRejection>,
    body: Result<Json<Acknowledgement>, JsonRejection>,
) -> Answer<Json<RolloutView>> {
    let (Path((line, level)), Acknowledgement { ring, wave, reason }) = (path?, body?.0);
    person.steer()?;
    check_reason(&reason)?;
    let level = Level(level);
    let mut writer = server.writer.lock().await;
    let catalog = server.catalog.load();
    let catalog = catalog.as_ref().ok_or_else(Refusal::no_catalog)?;
    let (channel, promotion) = promoted(catalog, &line, level)?;
    let now = clock::now();
    check_acknowledgement(&server.fleet(), channel, promotion, level, &ring, wave, now)?;
    let event = RolloutEvent::Acknowledged { ring, wave: wave - 1, reason };
    let event = Event::of_rollout(&line, level, promotion.sha256, event);
    server.record(&mut writer, &person.actor(), &[event]).await?;
    Ok(Json(view(&server, catalog, channel, level, promotion, &server.fleet(), now)))
}

/// Only the current wave, and only while nobody is there to prove it: health is not a matter of opinion.
fn check_acknowledgement(
    fleet: &Fleet,
    channel: &Channel,
    promotion: &Promotion,
    level: Level,
    ring: &Ring,
    wave: usize,
    now: At,
) -> Answer<()> {
    let rollout = fleet.rollout(&channel.line, level);
    let progress = rollout.and_then(|rollout| rollout.rings.get(ring));
    let (Some(rollout), Some(progress)) = (rollout, progress) else {
        return Err(Refusal::conflict("RingNotOpenYet", format!("ring `{ring}` isn't open")));
    };
    let waves = channel.plan.rings.iter().find(|r| r.name == *ring).map_or(0, |rules| rules.waves.len());
    if wave == 0 || progress.wave + 1 != wave || wave > waves {
        let message =
            format!("the current wave of `{ring}` is {} of {waves}", (progress.wave + 1).min(waves));
        return Err(Refusal::conflict("OtherWave", message));
    }
    let counts = counts(channel, promotion, rollout, level, fleet, now);
    let counts = counts.get(ring).copied().unwrap_or_default();
    if counts.eligible() + counts.offered > 0 {
        let message =
            format!("{} data planes of `{ring}` can prove this wave", counts.eligible() + counts.offered);
        return Err(Refusal::conflict("ProofPossible", message).hint("wait for them"));
    }
    Ok(())
}

fn promoted<'a>(catalog: &'a Catalog, line: &Line, level: Level) -> Answer<(&'a Channel, &'a Promotion)> {
    let missing = || Refusal::not_found(format!("level {level} of `{line}` isn't promoted"));
    let channel = catalog.channel(line).ok_or_else(missing)?;
    Ok((channel, channel.levels.get(&level).ok_or_else(missing)?))
}

fn counts(
    channel: &Channel,
    promotion: &Promotion,
    rollout: &Rollout,
    level: Level,
    fleet: &Fleet,
    now: At,
) -> BTreeMap<Ring, Census> {
    census(&channel.plan, promotion.tempo, rollout, level, fleet.rows(), now)
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
    let census = counts(channel, promotion, rollout, level, fleet, now);
    let ring = |rules: &RingRules| ring_view(channel, promotion, rollout, rules, &census);
    RolloutView {
        line: channel.line.clone(),
        level,
        sha256: promotion.sha256,
        tempo: promotion.tempo,
        created: rollout.created,
        braked: server.brake(catalog, channel, level, now).map(|code| code.to_string()),
        rings: channel.plan.rings.iter().map(ring).collect(),
    }
}

fn ring_view(
    channel: &Channel,
    promotion: &Promotion,
    rollout: &Rollout,
    rules: &RingRules,
    census: &BTreeMap<Ring, Census>,
) -> RingView {
    let counts = census.get(&rules.name).copied().unwrap_or_default();
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
        opens_at: promotion.opens_at.get(&rules.name).copied(),
        opened: progress.map(|progress| progress.opened),
        wave: progress.map_or(0, |progress| (progress.wave + 1).min(waves)),
        waves,
        cap: progress.map(|p| cap_of(rules, p.wave, counts.members)).filter(|cap| *cap != u32::MAX),
        starts: rollout.starts_in(&rules.name),
        soaked_at,
        census: counts,
    }
}
