//! What is due, from the record and from what the cluster holds. Pure: which turns are done is read off, not kept.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::decision::DecisionRecord;
use pdp_policies::flux::Health;
use pdp_policies::release::{Component, OnFailure};
use pdp_policies::{
    At, CLOCK_TOLERANCE, ComponentName, ImageName, ObstacleCode, PresentVersion, RefusalCode, Span, Turn,
};

use super::desired::{self, Desired, Owner};
use super::observed::Objects;
use super::watched::Watched;
use super::workloads::Workloads;
use crate::cluster::{Kind, name_of};
use crate::target::{ComponentHealth, UnderWay, turns};

/// Watches wake a pass sooner; this is for what nobody tells.
const LOOK_AGAIN: Span = Span::from_seconds(15);

/// The turn of a pdp-sync that goes before all others.
const ITSELF: Turn = Turn::FIRST;

/// What is due.
#[derive(Debug)]
pub(super) enum Next {
    /// These don't look as they should: apply them, then ask again.
    Write { turn: Turn, objects: Vec<Desired> },
    /// Nothing can be done now.
    Wait(UnderWay),
    /// This component failed, and why.
    Failed(Failed),
    /// The end of it.
    Done,
}

/// A component that failed.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) component: ComponentName,
    pub(super) cause: String,
    /// The images that it failed for, if it failed for nothing else and they all can be listed.
    pub(super) foreign: Vec<ImageName>,
}

/// A component that the stage waits for, and for how long at most without news.
struct Open {
    health: ComponentHealth,
    next: Span,
}

/// Towards the record's target: turn by turn, each written, healthy and settled before the next.
pub(super) fn forward(
    owner: Owner<'_>,
    record: &DecisionRecord,
    objects: &Objects,
    (workloads, watched): (&Workloads, &Watched),
    running: &PresentVersion,
    now: At,
) -> Next {
    for (turn, components) in order(record, running) {
        let wanted: Vec<_> = components.iter().map(|c| Desired::target(owner, record, c)).collect();
        let due = to_write(objects, &wanted);
        if !due.is_empty() {
            return Next::Write { turn, objects: due };
        }
        // What this level leaves as it was isn't judged by it.
        let touched = components.iter().zip(&wanted).filter(|(c, _)| desired::is_touched(owner, record, c));
        let mut open = Vec::new();
        for (_, desired) in touched {
            let health = objects.health_while_watched(desired, now, watched);
            let is_healthy = matches!(health, Health::Healthy { .. });
            match settled(health, desired, workloads, now) {
                Ok(()) => {}
                Err(Open { health: ComponentHealth { name, health: Health::Failed(cause) }, .. }) => {
                    // Images fail a component that Flux has nothing against.
                    let foreign = if is_healthy { workloads.foreign_names(&name) } else { vec![] };
                    return Next::Failed(Failed { component: name, cause, foreign });
                }
                Err(waiting) => open.push(waiting),
            }
        }
        if !open.is_empty() {
            return wait(turn, false, open);
        }
    }
    match record.target().needs_newer(running) {
        // This process ends here: the new one reads the record and goes on with the rest.
        true => wait(ITSELF, false, itself(record).map(successor).into_iter().collect()),
        false => Next::Done,
    }
}

/// The turns of the target. Where the level needs a newer pdp-sync, that one alone, which does the rest.
fn order<'a>(record: &'a DecisionRecord, running: &PresentVersion) -> BTreeMap<Turn, Vec<&'a Component>> {
    if !record.target().needs_newer(running) {
        return turns(record.target(), record);
    }
    itself(record).map(|component| (ITSELF, vec![component])).into_iter().collect()
}

/// The pdp-sync that the level brings, if it is new enough for the level.
fn itself(record: &DecisionRecord) -> Option<&Component> {
    record.target().brings_itself(record.inputs().platform, &record.inputs().left_out)
}

fn successor(component: &Component) -> Open {
    let health = Health::Progressing("SuccessorStarts".to_owned());
    Open { health: ComponentHealth { name: component.name.clone(), health }, next: LOOK_AGAIN }
}

/// Back to the last good level, last stage first; what must not go back stays. A component that fails on its way
/// back too holds nobody up: there is no rollback of a rollback. What only a person can let go (suspended, `fought`
/// over) holds no other stage up, but it isn't back before they did.
pub(super) fn back(
    owner: Owner<'_>,
    record: &DecisionRecord,
    (objects, watched): (&Objects, &Watched),
    fought: &BTreeSet<ComponentName>,
    now: At,
) -> Next {
    let mut held = Vec::new();
    let mut last = ITSELF;
    for (turn, wanted) in way_back(owner, record).into_iter().rev() {
        let (others, ours): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|d| fought.contains(&d.name));
        let due = to_write(objects, &ours);
        if !due.is_empty() {
            return Next::Write { turn, objects: due };
        }
        let mut open = Vec::new();
        for desired in &ours {
            match objects.health_while_watched(desired, now, watched) {
                Health::Healthy { .. } | Health::Failed(_) => {}
                Health::Suspended => held.push(still(desired, Health::Suspended)),
                health => open.push(still(desired, health)),
            }
        }
        if !open.is_empty() {
            return wait(turn, true, open);
        }
        held.extend(others.iter().map(|desired| still(desired, Health::Waiting("ForeignWriter".to_owned()))));
        last = turn;
    }
    if held.is_empty() { Next::Done } else { wait(last, true, held) }
}

fn still(desired: &Desired, health: Health) -> Open {
    Open { health: ComponentHealth { name: desired.name.clone(), health }, next: LOOK_AGAIN }
}

/// What goes back, as the last good level had it, by the turns of the target. What the target took away comes first.
fn way_back(owner: Owner<'_>, record: &DecisionRecord) -> BTreeMap<Turn, Vec<Desired>> {
    let mut way = BTreeMap::<Turn, Vec<_>>::new();
    for (turn, components) in turns(record.target(), record) {
        let back = components.into_iter().filter(|c| c.on_failure == OnFailure::Rollback);
        let touched = back.filter(|c| desired::is_touched(owner, record, c));
        let before = touched.filter_map(|c| Desired::last_good(owner, record, &c.name));
        way.entry(turn).or_default().extend(before);
    }
    for name in &record.target().removed {
        way.entry(Turn::FIRST).or_default().extend(Desired::last_good(owner, record, name));
    }
    way
}

/// Those whose objects differ from what is wanted; a suspended one is its suspender's.
fn to_write(objects: &Objects, wanted: &[Desired]) -> Vec<Desired> {
    wanted.iter().filter(|desired| differs(objects, desired)).cloned().collect()
}

/// True if one of a component's objects doesn't look as wanted, and it is ours to write: nobody suspended it, and
/// nobody took our label off.
pub(super) fn differs(objects: &Objects, desired: &Desired) -> bool {
    let live = objects.applier(desired);
    let suspended = objects.is_suspended(desired.kind, desired.name.as_str());
    let holds =
        |wanted, live: Option<&serde_json::Value>| live.is_some_and(|live| desired::holds(wanted, live));
    let needed = desired.needed().all(|(kind, wanted)| holds(wanted, objects.get(kind, name_of(wanted))));
    let same = holds(&desired.applier, live) && needed;
    let values = desired.values.as_ref().map(name_of);
    let strange = objects.is_strange(desired.kind, desired.name.as_str())
        || values.is_some_and(|name| objects.is_strange(Kind::ConfigMap, name));
    !(suspended || strange || same)
}

/// Healthy for as long as the component asks, its workloads still are, and they run what the release names.
fn settled(health: Health, desired: &Desired, workloads: &Workloads, now: At) -> Result<(), Open> {
    let open = |health, next| Open { health: ComponentHealth { name: desired.name.clone(), health }, next };
    let Health::Healthy { since } = health else { return Err(open(health, LOOK_AGAIN)) };
    if let Some(foreign) = workloads.foreign(&desired.name) {
        return Err(open(Health::Failed(format!("{}: {foreign}", ObstacleCode::ForeignImage)), LOOK_AGAIN));
    }
    if since.seconds_since(now) > CLOCK_TOLERANCE {
        // Time can't be measured from a moment that is still to come.
        return Err(open(Health::Waiting(RefusalCode::ClockSkew.as_str().to_owned()), LOOK_AGAIN));
    }
    let settled = since.plus(desired.settle);
    if let Some(unready) = workloads.unready(&desired.name) {
        let given_up = settled.plus(desired.timeout) < now;
        let health = if given_up { Health::Failed } else { Health::Progressing };
        return Err(open(health(format!("WorkloadNotReady: {unready}")), Span::from_seconds(2)));
    }
    if settled <= now {
        return Ok(());
    }
    let left = u32::try_from(settled.seconds_since(now)).unwrap_or(1);
    Err(open(Health::Healthy { since }, Span::from_seconds(left.clamp(1, 60))))
}

fn wait(turn: Turn, back: bool, open: Vec<Open>) -> Next {
    let next = open.iter().map(|open| open.next).min().unwrap_or(LOOK_AGAIN);
    let components = open.into_iter().map(|open| open.health).collect();
    Next::Wait(UnderWay { turn, back, components, next, fought: vec![] })
}

#[cfg(test)]
mod tests;
