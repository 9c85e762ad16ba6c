//! Writing a level stage by stage, and putting it back. Needs the decision record and the target alone.

use std::collections::BTreeMap;

use pdp_policies::decision::{DecisionRecord, Phase};
use pdp_policies::release::{Component, OnFailure, Release};
use pdp_policies::{ComponentName, Turn};
use pdp_transport::cli::failure::{Result, internal};

use super::git::GitTarget;
use super::{Alive, Applied, meaning, turns};
use crate::fault;
use crate::probe::{self, Health};
use crate::render::{self, Files, Place};
use crate::state::State;
use crate::subscription::Probe;
use crate::time::Clock;

/// Applies, or goes on with, what the record in `state` says, to its end.
pub(super) fn carry_on(
    state: &mut State,
    target: &GitTarget<'_>,
    probe: Option<&Probe>,
    clock: &Clock,
    alive: &Alive<'_>,
) -> Result<Applied> {
    let Some(record) = state.record.clone() else { return Err(internal("no decision to carry on with")) };
    let failed = match record.phase() {
        Phase::TakingBack {} => {
            go_back(state, &record, target, clock)?;
            state.save_record(record.in_phase(Phase::TakenBack {}))?;
            return Ok(Applied::TakenBack);
        }
        Phase::GoingBack { component, .. } => Some(component.clone()),
        _ => write_stages(state, &record, target, probe, clock, alive)?,
    };
    let Some(component) = failed else {
        fault::point("before-finish");
        state.save_record(record.in_phase(Phase::Done {}))?;
        fault::point("after-finish");
        return Ok(if probe.is_some() { Applied::Healthy } else { Applied::Written });
    };
    let record =
        record.in_phase(Phase::GoingBack { component: component.clone(), cause: None, foreign: vec![] });
    state.save_record(record.clone())?;
    go_back(state, &record, target, clock)?;
    state.save_record(record.put_back())?;
    Ok(Applied::GoneBack(component))
}

/// One commit per turn that changes something; the component that failed, if one did.
fn write_stages(
    state: &mut State,
    record: &DecisionRecord,
    target: &GitTarget<'_>,
    probe: Option<&Probe>,
    clock: &Clock,
    alive: &Alive<'_>,
) -> Result<Option<ComponentName>> {
    let release = record.target();
    let turns = turns(release, record);
    let last = turns.keys().next_back().copied();
    for (turn, components) in &turns {
        let mut wanted = wanted(state, target.place, release, components, record);
        if Some(*turn) == last {
            wanted.extend(removed(state, target.place, release));
        }
        let message = message(record, *turn, components);
        write(state, target, &format!("push-{}", turn.stage), &wanted, &message, record, clock)?;
        if let Some(probe) = probe
            && probe::settle(probe, release.level, turn.stage, components, clock, || alive(state))?
                == Health::Failed
        {
            return Ok(components.first().map(|component| component.name.clone()));
        }
    }
    Ok(None)
}

/// What was touched goes back in reverse order, except what must not; never further than the last good level.
fn go_back(state: &mut State, record: &DecisionRecord, target: &GitTarget<'_>, clock: &Clock) -> Result<()> {
    let (Some(good), Some(inputs)) = (record.last_good(), record.last_good_inputs()) else { return Ok(()) };
    for (turn, touched) in turns(record.target(), record).iter().rev() {
        let mut wanted = BTreeMap::new();
        for component in touched.iter().filter(|c| c.on_failure == OnFailure::Rollback) {
            let Some(before) = good.components.iter().find(|c| c.name == component.name) else { continue };
            let files = render::component(target.place, good, before, inputs).into_iter();
            wanted.extend(without_values(state, target.place, before));
            wanted.extend(files.map(|(path, content)| (path, Some(content))));
        }
        let message = format!(
            "Go back to level {}, stage {turn}\n\nLevel {} failed.\n",
            good.level,
            record.target().level
        );
        write(state, target, &format!("back-{}", turn.stage), &wanted, &message, record, clock)?;
    }
    Ok(())
}

/// Remembers what our files may hold from now on, then writes. The record travels with every commit.
fn write(
    state: &mut State,
    target: &GitTarget<'_>,
    point: &str,
    wanted: &BTreeMap<String, Option<Vec<u8>>>,
    message: &str,
    record: &DecisionRecord,
    clock: &Clock,
) -> Result<()> {
    let head = target.head()?;
    if wanted.iter().all(|(path, content)| head.files.get(path) == content.as_ref()) {
        return Ok(());
    }
    for (path, content) in wanted {
        let mut known = head.files.get(path).map(|old| meaning::marks(old)).unwrap_or_default();
        known.extend(content.iter().flat_map(|new| meaning::marks(new)));
        state.written.insert(path.clone(), known);
    }
    state.save_written()?;
    let mut all = wanted.clone();
    let decision = record.to_bytes().map_err(internal)?;
    all.insert(format!("{}/decision.json", target.place.path), Some(decision));
    fault::point(&format!("before-{point}"));
    target.write(&all, message, clock.now())?;
    fault::point(&format!("after-{point}"));
    // Only what was written last is ours now; files that were deleted are nobody's.
    for (path, content) in wanted {
        match content {
            Some(content) => state.written.insert(path.clone(), meaning::marks(content)),
            None => state.written.remove(path),
        };
    }
    state.save_written()
}

fn wanted(
    state: &State,
    place: Place<'_>,
    release: &Release,
    components: &[&Component],
    record: &DecisionRecord,
) -> BTreeMap<String, Option<Vec<u8>>> {
    let files = components.iter().flat_map(|c| render::component(place, release, c, record.inputs()));
    let gone = components.iter().filter_map(|c| without_values(state, place, c));
    gone.chain(files.map(|(path, content)| (path, Some(content)))).collect()
}

/// The file with a component's own values goes where there are none any more, if we wrote it.
fn without_values(
    state: &State,
    place: Place<'_>,
    component: &Component,
) -> Option<(String, Option<Vec<u8>>)> {
    let path = render::values_file(place, component);
    state.written.contains_key(&path).then_some((path, None))
}

/// Removal happens only to what the release lists as removed, and only to files that we wrote.
fn removed(state: &State, place: Place<'_>, release: &Release) -> BTreeMap<String, Option<Vec<u8>>> {
    let folders: Vec<_> = release.removed.iter().map(|name| format!("{}/{name}/", place.path)).collect();
    let ours = state.written.keys().filter(|path| folders.iter().any(|folder| path.starts_with(folder)));
    ours.map(|path| (path.clone(), None)).collect()
}

/// All files that a record's target writes.
pub(crate) fn all_files(place: Place<'_>, record: &DecisionRecord) -> Files {
    let release = record.target();
    let components = release.components_for(record.inputs().platform, &record.inputs().left_out);
    components.into_iter().flat_map(|c| render::component(place, release, c, record.inputs())).collect()
}

fn message(record: &DecisionRecord, turn: Turn, components: &[&Component]) -> String {
    let release = record.target();
    let before = |name| {
        let old = record.last_good().and_then(|good| good.components.iter().find(|c| c.name == name));
        old.map_or_else(|| "new".to_owned(), |old| old.version.clone())
    };
    let digest = |name| {
        record
            .last_good()
            .and_then(|g| g.components.iter().find(|c| c.name == name))
            .map(|c| c.artifact.digest())
    };
    let mut text = format!("Level {} ({}), stage {turn}\n\n", release.level, release.version);
    for component in components.iter().filter(|c| digest(c.name.clone()) != Some(c.artifact.digest())) {
        text.push_str(&format!(
            "{}: {} -> {}\n",
            component.name,
            before(component.name.clone()),
            component.version
        ));
    }
    text.push_str(&format!(
        "\nPdp-Level: {}\nPdp-Release: {}\n",
        release.level,
        record.target_digest().sha256
    ));
    text
}
