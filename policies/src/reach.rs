//! Whether every level that may be installed somewhere still finds a way to the newest one. Pure.

use std::collections::BTreeSet;

use crate::channel::Channel;
use crate::names::Level;

/// The levels below the channel's newest one from which no way leads there: each step goes to a higher level that isn't
/// withdrawn, jumps over no required stop, starts at least at the level that it needs, and loses no hotfix. A hotfix is
/// no way for all: it is neither the newest level nor a step, but what is installed may be one.
///
/// All promoted levels are looked at, and those that are `reported` to be installed somewhere, promoted or not. `from`
/// is a level's `requires.from`, none if it needs nothing. A withdrawn level may be installed all the same; one above
/// the newest waits for what comes next.
pub fn stranded(
    channel: &Channel,
    reported: impl IntoIterator<Item = Level>,
    from: impl Fn(Level) -> Option<Level>,
) -> Vec<Level> {
    let step = |level: &Level| {
        let promotion = channel.levels.get(level);
        promotion.is_some_and(|it| !it.is_hotfix()) && !channel.withdrawn.contains_key(level)
    };
    let Some(newest) = channel.levels.keys().rev().find(|level| step(level)).copied() else {
        return Vec::new();
    };
    let installed: BTreeSet<Level> = channel.levels.keys().copied().chain(reported).collect();
    let mut arrives = BTreeSet::from([newest]);
    let mut stranded = Vec::new();
    for level in installed.range(..newest).rev().copied() {
        let goes_on = arrives.iter().any(|next| {
            let jumped = channel.required_stops.iter().any(|stop| *stop > level && *stop < *next);
            let bars = channel.barred(Some(level), *next).is_some();
            !jumped && !bars && from(*next).is_none_or(|needed| level >= needed)
        });
        match goes_on {
            true if step(&level) => drop(arrives.insert(level)),
            true => {}
            false => stranded.push(level),
        }
    }
    stranded.reverse();
    stranded
}
