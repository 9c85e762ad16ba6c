//! `dependsOn` as stages: whoever waits for others comes a stage later.

use std::collections::BTreeMap;

use super::super::{Entry, Left};
use super::{Key, Waiting, shown};

/// More stages than a release may have are never needed in a chain without a circle.
const MOST: u32 = 100;

/// In the order of their stages, and of their names within one. A circle is told, and cut.
pub(super) fn ordered(mut found: Vec<Waiting>, left: &mut Vec<Left>) -> Vec<Entry> {
    let mut stages: BTreeMap<Key, u32> = found.iter().map(|it| (it.key.clone(), 1)).collect();
    let mut again = true;
    while again {
        again = false;
        for waiting in &found {
            let after =
                waiting.after.iter().filter_map(|key| stages.get(key)).max().map_or(1, |stage| stage + 1);
            if after > MOST {
                left.push(Left::new(shown(&waiting.key), "spec.dependsOn", "it waits for itself in the end"));
                stages.values_mut().for_each(|stage| *stage = 1);
                again = false;
                break;
            }
            if stages.get(&waiting.key) != Some(&after) {
                stages.insert(waiting.key.clone(), after);
                again = true;
            }
        }
    }
    for waiting in &mut found {
        waiting.entry.stage = stages.get(&waiting.key).copied().unwrap_or(1);
        for missing in waiting.after.iter().filter(|key| !stages.contains_key(*key)) {
            left.push(Left::new(
                shown(&waiting.key),
                "spec.dependsOn",
                format!("{} is no component", shown(missing)),
            ));
        }
    }
    let mut entries: Vec<_> = found.into_iter().map(|it| it.entry).collect();
    entries.sort_by_key(|entry| (entry.stage, entry.name.clone()));
    entries
}
