//! A tally is a sum over rows: what some rows add to it can be taken away again, and added anew.

use std::collections::BTreeMap;

use crate::rollout::{Census, Failures, Tally};

type With = fn(u32, u32) -> u32;

/// Adds what some rows come to.
pub(super) fn add(sum: &mut Tally, part: Tally) {
    combine(sum, part, u32::saturating_add);
}

/// Takes away what some rows came to.
pub(super) fn remove(sum: &mut Tally, part: Tally) {
    combine(sum, part, u32::saturating_sub);
}

fn combine(sum: &mut Tally, part: Tally, with: With) {
    let Tally { rings, failures, present, unheard } = part;
    each(&mut sum.rings, rings, |sum, part| census(sum, &part, with));
    each(&mut sum.failures, failures, |sum, part| failed(sum, part, with));
    each(&mut sum.present, present, |sum, part| *sum = with(*sum, part));
    each(&mut sum.unheard, unheard, |sum, part| *sum = with(*sum, part));
}

/// Whatever comes to nothing is left out, as it is where nothing is counted.
fn each<K: Ord, V: Default + PartialEq>(
    sums: &mut BTreeMap<K, V>,
    parts: BTreeMap<K, V>,
    with: impl Fn(&mut V, V),
) {
    for (key, part) in parts {
        let mut sum = sums.remove(&key).unwrap_or_default();
        with(&mut sum, part);
        if sum != V::default() {
            sums.insert(key, sum);
        }
    }
}

fn census(sum: &mut Census, part: &Census, with: With) {
    // No `..`: a new field doesn't compile until it is summed up here.
    let Census {
        members,
        not_reporting,
        deferred,
        waiting,
        offered,
        started,
        healthy,
        failed,
        silent,
        past,
        excluded,
    } = *part;
    *sum = Census {
        members: with(sum.members, members),
        not_reporting: with(sum.not_reporting, not_reporting),
        deferred: with(sum.deferred, deferred),
        waiting: with(sum.waiting, waiting),
        offered: with(sum.offered, offered),
        started: with(sum.started, started),
        healthy: with(sum.healthy, healthy),
        failed: with(sum.failed, failed),
        silent: with(sum.silent, silent),
        past: with(sum.past, past),
        excluded: with(sum.excluded, excluded),
    };
}

fn failed(sum: &mut Failures, part: Failures, with: With) {
    // Named one by one: a new field doesn't compile until it is summed up here.
    let Failures { all, organizations } = part;
    sum.all = with(sum.all, all);
    each(&mut sum.organizations, organizations, |sum, part| *sum = with(*sum, part));
}
