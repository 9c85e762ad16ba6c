//! Whether the people who said yes are enough: each group its quorum, and nobody counted twice.

use std::collections::BTreeSet;

use crate::approval_rule::Group;
use crate::person::PersonName;

/// So many people of a group are still missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing<'a> {
    pub(crate) group: &'a Group,
    /// How many of them.
    pub(crate) count: u32,
}

/// What is missing of each group; nothing if all agree. One person counts for one group only, whichever needs them: the most
/// that can be made of those who said yes.
pub(crate) fn missing_of<'a>(groups: &'a [Group], yes: &BTreeSet<PersonName>) -> Vec<Missing<'a>> {
    let seats: Vec<usize> =
        groups.iter().enumerate().flat_map(|(n, group)| (0..seats_of(group)).map(move |_| n)).collect();
    let mut taken: Vec<Option<&PersonName>> = vec![None; seats.len()];
    for person in yes {
        seat(person, groups, &seats, &mut taken, &mut BTreeSet::new());
    }
    let open = |n: usize| seats.iter().zip(&taken).filter(|(seat, by)| **seat == n && by.is_none()).count();
    let missing = groups
        .iter()
        .enumerate()
        .map(|(n, group)| Missing { group, count: u32::try_from(open(n)).unwrap_or(u32::MAX) });
    missing.filter(|missing| missing.count > 0).collect()
}

/// As many as have to agree; one more than there are people where a quorum can't be reached.
fn seats_of(group: &Group) -> usize {
    (group.quorum.max(1) as usize).min(group.people.len() + 1)
}

/// Gives the person a seat, moving others where that helps. False if there is none.
fn seat<'p>(
    person: &'p PersonName,
    groups: &[Group],
    seats: &[usize],
    taken: &mut Vec<Option<&'p PersonName>>,
    tried: &mut BTreeSet<usize>,
) -> bool {
    for (n, group) in seats.iter().enumerate() {
        if !groups.get(*group).is_some_and(|group| group.people.contains(person)) || !tried.insert(n) {
            continue;
        }
        let by = taken.get(n).copied().flatten();
        if by.is_none_or(|other| seat(other, groups, seats, taken, tried)) {
            if let Some(place) = taken.get_mut(n) {
                *place = Some(person);
            }
            return true;
        }
    }
    false
}
