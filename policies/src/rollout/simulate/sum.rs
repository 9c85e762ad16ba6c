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
    *sum = Census {
        members: with(sum.members, part.members),
        not_reporting: with(sum.not_reporting, part.not_reporting),
        deferred: with(sum.deferred, part.deferred),
        waiting: with(sum.waiting, part.waiting),
        offered: with(sum.offered, part.offered),
        started: with(sum.started, part.started),
        healthy: with(sum.healthy, part.healthy),
        failed: with(sum.failed, part.failed),
        silent: with(sum.silent, part.silent),
        past: with(sum.past, part.past),
        excluded: with(sum.excluded, part.excluded),
    };
}

fn failed(sum: &mut Failures, part: Failures, with: With) {
    sum.all = with(sum.all, part.all);
    each(&mut sum.organizations, part.organizations, |sum, part| *sum = with(*sum, part));
}
