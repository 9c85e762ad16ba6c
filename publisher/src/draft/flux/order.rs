//! What waits for what, once Kustomizations are taken for what lies in them.

use std::collections::{BTreeMap, BTreeSet};

use super::kustomization::Built;
use super::{Key, Waiting};

/// A component waits for what the Kustomizations wait for that it lies in; whoever waits for a Kustomization waits for the
/// components in it.
pub(super) fn resolve(found: &mut [Waiting], built: &BTreeMap<Key, Built>) {
    let known: BTreeSet<Key> = found.iter().map(|it| it.key.clone()).collect();
    for waiting in found {
        let around = around(&waiting.key, built);
        let outer = around.iter().filter_map(|key| built.get(key)).flat_map(|it| &it.after);
        let all: BTreeSet<Key> = waiting.after.iter().chain(outer).cloned().collect();
        let whole = |key: &Key| inside(key, &around, &known, built);
        waiting.after = all
            .iter()
            .flat_map(whole)
            .filter(|key| *key != waiting.key)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
    }
}

/// The Kustomizations that an object lies in, and those that they lie in.
fn around(key: &Key, built: &BTreeMap<Key, Built>) -> BTreeSet<Key> {
    let mut found = BTreeSet::new();
    let mut next = vec![key.clone()];
    while let Some(inner) = next.pop() {
        let outer = built.iter().filter(|(_, it)| it.members.contains(&inner)).map(|(key, _)| key.clone());
        next.extend(outer.filter(|key| found.insert(key.clone())).collect::<Vec<_>>());
    }
    found
}

/// The components that a name stands for; nothing of what is `around` who waits, or that would wait for itself. What nobody
/// knows stays, to be told.
fn inside(
    key: &Key,
    around: &BTreeSet<Key>,
    known: &BTreeSet<Key>,
    built: &BTreeMap<Key, Built>,
) -> Vec<Key> {
    let (mut found, mut seen, mut next) = (Vec::new(), BTreeSet::new(), vec![key.clone()]);
    while let Some(at) = next.pop() {
        if !seen.insert(at.clone()) {
            continue;
        }
        let members = built.get(&at).map(|it| &it.members);
        if known.contains(&at) || members.is_none() && at == *key {
            found.push(at.clone());
        }
        next.extend(members.into_iter().flatten().filter(|_| !around.contains(&at)).cloned());
    }
    found
}
