//! What every component of the installed state is to look like. After a failure that is a mixture. Pure.

use std::sync::{Arc, Weak};

use pdp_policies::decision::{DecisionRecord, Phase};
use pdp_policies::release::{Component, OnFailure};

use super::desired::{self, Desired, Owner};
use super::leftovers::leftovers;
use super::next::differs;
use super::observed::Objects;
use crate::target::turns;

/// One component of the installed state.
#[derive(Debug)]
pub(super) struct Installed {
    pub(super) desired: Desired,
    /// True if it stays at a level that failed, because it must not go back.
    pub(super) held: bool,
    /// True if its objects are to be written.
    pub(super) differs: bool,
}

impl Installed {
    fn new(desired: Desired, held: bool, objects: &Objects) -> Self {
        Self { differs: differs(objects, &desired), desired, held }
    }
}

/// How a decision and the objects compare.
#[derive(Debug, Default)]
pub(super) struct Standing {
    pub(super) installed: Vec<Installed>,
    /// True if an object is there that no level needs any more.
    pub(super) has_leftovers: bool,
}

impl Standing {
    pub(super) fn of(owner: Owner<'_>, record: &DecisionRecord, objects: &Objects) -> Self {
        let has_leftovers = !leftovers(owner, record, objects).is_empty();
        Self { installed: installed(owner, record, objects), has_leftovers }
    }
}

/// What was worked out last. All of it may be lost.
#[derive(Debug)]
pub(super) struct Known {
    record: DecisionRecord,
    objects: Weak<Objects>,
    pub(super) standing: Arc<Standing>,
}

impl Known {
    pub(super) fn new(record: &DecisionRecord, objects: &Arc<Objects>, standing: Standing) -> Self {
        Self { record: record.clone(), objects: Arc::downgrade(objects), standing: Arc::new(standing) }
    }

    /// True for the same decision, and the same objects as they were read once.
    pub(super) fn holds(&self, record: &DecisionRecord, objects: &Arc<Objects>) -> bool {
        Weak::ptr_eq(&self.objects, &Arc::downgrade(objects)) && self.record == *record
    }
}

/// All components, turn by turn. A new component that failed and may go back isn't among them: it stays as it is.
fn installed(owner: Owner<'_>, record: &DecisionRecord, objects: &Objects) -> Vec<Installed> {
    let all = turns(record.target(), record).into_values().flatten();
    match record.phase() {
        Phase::Done {} => {
            all.map(|c| Installed::new(Desired::target(owner, record, c), false, objects)).collect()
        }
        _ => all.filter_map(|c| after_failure(owner, record, c, objects)).collect(),
    }
}

/// What a first level that failed has left behind: there is nothing to go back to, and nothing is put right.
pub(super) fn left_as_they_are(owner: Owner<'_>, record: &DecisionRecord, objects: &Objects) -> Vec<Desired> {
    if matches!(record.phase(), Phase::Done {}) || record.last_good().is_some() {
        return Vec::new();
    }
    let all = turns(record.target(), record).into_values().flatten();
    let all = all.map(|component| Desired::target(owner, record, component));
    all.filter(|desired| objects.applier(desired).is_some()).collect()
}

/// Only what the failed level has touched can be held: a stage that it never came to stays as it was.
fn after_failure(
    owner: Owner<'_>,
    record: &DecisionRecord,
    component: &Component,
    objects: &Objects,
) -> Option<Installed> {
    let target = Desired::target(owner, record, component);
    let before = Desired::last_good(owner, record, &component.name);
    let held = component.on_failure == OnFailure::Hold && was_written(objects, before.as_ref(), &target);
    let desired = if held { target } else { before? };
    Some(Installed::new(desired, held, objects))
}

/// Read off the cluster: the component points to the failed level's source, and isn't as it was before.
fn was_written(objects: &Objects, before: Option<&Desired>, target: &Desired) -> bool {
    let Some(live) = objects.applier(target) else { return false };
    let as_before = before.is_some_and(|before| desired::holds(&before.applier, live));
    desired::source_of(live) == Some(target.source_name()) && !as_before
}
