//! Whether every level that may be installed somewhere still finds a way to the newest one. Pure.

use std::collections::BTreeSet;

use crate::channel::Channel;
use crate::names::Level;

/// The promoted levels below the channel's newest one from which no way leads there: each step goes to a higher level
/// that isn't withdrawn, jumps over no required stop, and starts at least at the level that it needs.
///
/// `from` is a level's `requires.from`, none if it needs nothing. A withdrawn level may be installed all the same;
/// one above the newest waits for what comes next.
pub fn stranded(channel: &Channel, from: impl Fn(Level) -> Option<Level>) -> Vec<Level> {
    let open = |level: &Level| !channel.withdrawn.contains_key(level);
    let Some(newest) = channel.levels.keys().rev().find(|level| open(level)).copied() else {
        return Vec::new();
    };
    let mut arrives = BTreeSet::from([newest]);
    let mut stranded = Vec::new();
    for level in channel.levels.range(..newest).rev().map(|(level, _)| *level) {
        let goes_on = arrives.iter().any(|next| {
            let jumped = channel.required_stops.iter().any(|stop| *stop > level && *stop < *next);
            open(next) && !jumped && from(*next).is_none_or(|needed| level >= needed)
        });
        match goes_on {
            true => drop(arrives.insert(level)),
            false => stranded.push(level),
        }
    }
    stranded.reverse();
    stranded
}
