//! The driver: follow the catalog, count the fleet, take the next steps, tell the rings.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pdp_policies::rollout::{Outside, RolloutEvent, step, superseded, tally};
use pdp_policies::trust::{Catalog, Verified};
use pdp_policies::{Channel, Level};

use crate::event::{Actor, Event};
use crate::resting::Resting;
use crate::ring_state::Publisher;
use crate::server::Server;
use crate::writer::WriteFailed;

/// Time alone makes a soak end and a silence count, so the driver looks at least this often.
const LOOK: Duration = Duration::from_secs(1);
/// Between two looks lies at least this much, and nine times what the last one took: counting a large fleet
/// never takes more than a tenth of a core, however fast reports come.
const REST: Duration = Duration::from_millis(50);

/// Runs until the server stops.
pub(crate) async fn drive(server: Arc<Server>, mut publisher: Publisher) {
    let mut resting = Resting::default();
    loop {
        let started = Instant::now();
        let mut rest = REST;
        if let Some(catalog) = server.catalog.load_full() {
            if let Err(failed) = advance(&server, &catalog, &mut resting).await {
                // An outage that the follower has told of needs no line each second.
                if server.lost.load().is_none() {
                    tracing::warn!(
                        code = failed.code,
                        "no rollout moves until the database takes writes again"
                    );
                }
            }
            rest = started.elapsed().mul_f64(9.0).clamp(REST, LOOK);
            publisher.publish_if_changed(&server, &catalog).await;
        }
        tokio::time::sleep(rest).await;
        tokio::select! {
            () = server.due.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
            () = server.until_stopping() => return,
        }
    }
}

/// Takes all steps that are due, level by level, each written down before the next is thought of.
async fn advance(
    server: &Server,
    catalog: &Verified<Catalog>,
    resting: &mut Resting,
) -> Result<(), WriteFailed> {
    let now = Instant::now();
    for channel in catalog.channels() {
        for level in channel.levels.keys() {
            let events = at_rest(server, catalog, channel, *level);
            if resting.is_known(&channel.line, *level, events, now) {
                continue;
            }
            // Counted without the writer first: nothing is due most of the time.
            while !due(server, catalog, channel, *level).is_empty() {
                let writer = server.write().await?;
                let events = due(server, catalog, channel, *level);
                writer.record(&Actor::Server, &events).await?;
            }
            // As it was before the count: what came meanwhile is counted at the next look.
            resting.note(&channel.line, *level, events, now);
        }
    }
    Ok(())
}

/// The number of events of a rollout at rest; none while a brake hides what is due.
fn at_rest(server: &Server, catalog: &Catalog, channel: &Channel, level: Level) -> Option<u64> {
    let fleet = server.fleet();
    let rollout = fleet.rollout(&channel.line, level).filter(|rollout| rollout.rests(&channel.plan))?;
    let braked = server.brake(catalog, channel, level, &fleet, server.now()).is_some();
    (!braked).then_some(rollout.events)
}

/// The events that are due for one level. Rollouts that are through cost nothing.
fn due(server: &Server, catalog: &Catalog, channel: &Channel, level: Level) -> Vec<Event> {
    let (now, fleet, promotion) = (server.now(), server.fleet(), &channel.levels[&level]);
    let Some(rollout) = fleet.rollout(&channel.line, level) else {
        let created = RolloutEvent::Created {};
        return vec![Event::of_rollout(&channel.line, level, promotion.sha256, created)];
    };
    if rollout.is_through(&channel.plan) {
        return Vec::new();
    }
    let braked = server.brake(catalog, channel, level, &fleet, now).is_some();
    let outside = Outside { braked, superseded: superseded(channel, level) };
    let (rows, clock) = (fleet.rows(), server.clock(&fleet, now));
    let tally = tally(&channel.plan, promotion, rollout, level, rows, clock);
    let events = step(&channel.plan, promotion, rollout, &tally, outside, now);
    let of_rollout = |event| Event::of_rollout(&channel.line, level, promotion.sha256, event);
    events.into_iter().map(of_rollout).collect()
}
