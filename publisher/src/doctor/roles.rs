//! Which roles can be signed now, by whom, and until when.

use pdp_policies::At;
use pdp_policies::trust::{Nearness, Role};

use super::{Check, State};
use crate::catalog::offices::{Held, Office};

/// A public half, and the name of its file, or of the list that it stands in.
pub(crate) type Named = (String, Vec<u8>);

/// One check for each role; `here` are the keys that are at hand, `listed` those that sign artifacts and instructions.
pub(crate) fn roles(
    offices: &[Office],
    expiries: &[(Role, At)],
    (here, listed): (&[Named], &[Named]),
    now: At,
) -> Vec<Check> {
    let (here, copies) = once(here);
    let mut all: Vec<_> = offices.iter().map(|office| role(office, expiries, &here, now)).collect();
    let others = here.iter().filter(|key| !offices.iter().any(|office| holds(office, key)));
    all.extend(others.map(|key| other(key, listed)));
    all.extend(copies);
    all
}

/// Each key once, by its material, and a check for each file that holds one of them again.
fn once(here: &[Named]) -> (Vec<Named>, Vec<Check>) {
    let (mut keys, mut copies) = (Vec::<Named>::new(), Vec::new());
    for (file, material) in here {
        match keys.iter().find(|(_, other)| other == material) {
            Some((first, _)) => {
                let says = format!("the same key as {first}: both count as one");
                copies.push(Check::good(format!("key {file}"), says));
            }
            None => keys.push((file.clone(), material.clone())),
        }
    }
    (keys, copies)
}

/// A key that holds no role of the catalog.
fn other((file, material): &Named, listed: &[Named]) -> Check {
    let subject = format!("key {file}");
    match listed.iter().find(|(_, other)| other == material) {
        Some((list, _)) => Check::good(subject, format!("it stands in the list `{list}`")),
        None => Check::bad(subject, "it is good for nothing", "leave it out, or have it added: docs/keys.md"),
    }
}

fn role(office: &Office, expiries: &[(Role, At)], here: &[Named], now: At) -> Check {
    let subject = format!("role {}", office.role);
    let expires = expiries.iter().find(|(role, _)| *role == office.role).map(|(_, at)| *at);
    let keys = different(office);
    let says = format!("{} of {} sign; {}", office.threshold, keys.len(), signable(office, &keys, here));
    // Machines sign the others every hour.
    let near = expires.filter(|_| office.role.is_of_people()).and_then(|at| Nearness::of(at, now));
    let (state, until) = match (near, expires) {
        (Some(Nearness::Ended), Some(at)) => (State::Bad, format!(", ended {at}")),
        (Some(Nearness::Week | Nearness::Day), Some(at)) => (State::Soon, format!(", ends {at}")),
        (_, Some(at)) => (State::Good, format!(", ends {at}")),
        (_, None) => (State::Good, String::new()),
    };
    let renew = format!("its holders sign `publisher catalog renew {}`", office.role);
    let next = (state != State::Good).then_some(renew);
    Check { subject, state, says: says + &until, next }
}

/// The keys of a role, each once: under a second id it signs no second time.
fn different(office: &Office) -> Vec<&Held> {
    let mut keys: Vec<&Held> = Vec::new();
    for key in &office.keys {
        let is_there = key.material.is_some() && keys.iter().any(|other| other.material == key.material);
        keys.extend((!is_there).then_some(key));
    }
    keys
}

fn signable(office: &Office, keys: &[&Held], here: &[Named]) -> String {
    let own: Vec<_> = here.iter().filter(|key| holds(office, key)).map(|(file, _)| file.as_str()).collect();
    let is_here = |key: &Held| here.iter().any(|(_, material)| key.material.as_ref() == Some(material));
    let absent = keys.iter().filter(|key| !is_here(key));
    let names: Vec<_> =
        absent.map(|key| key.holder.as_ref().map_or(&key.id[..], |it| it.as_str()).to_owned()).collect();
    match office.threshold.saturating_sub(own.len()) {
        0 => format!("can be signed here now, by {}", own.join(", ")),
        more if own.is_empty() => format!("{more} of: {}", names.join(", ")),
        more => format!("{} here, and {more} of: {}", own.join(", "), names.join(", ")),
    }
}

fn holds(office: &Office, (_, material): &Named) -> bool {
    office.keys.iter().any(|key| key.material.as_ref() == Some(material))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn office(role: Role, threshold: usize) -> Office {
        let key = |name: &str| Held {
            id: format!("id of {name}"),
            holder: Some(name.parse().unwrap()),
            scheme: "ed25519".to_owned(),
            material: Some(name.as_bytes().to_vec()),
        };
        Office { role, threshold, keys: ["a.lind", "b.berg", "c.dahl"].map(key).into() }
    }

    #[test]
    fn who_can_sign_now_and_who_is_missing_is_named() {
        let now = At::from_unix(1_800_000_000);
        let here = |names: &[&str]| -> Vec<_> {
            names.iter().map(|it| (format!("{it}.key"), it.as_bytes().to_vec())).collect()
        };
        for (names, says) in [
            (&[][..], "2 of 3 sign; 2 of: a.lind, b.berg, c.dahl"),
            (&["a.lind"], "2 of 3 sign; a.lind.key here, and 1 of: b.berg, c.dahl"),
            (&["a.lind", "c.dahl"], "2 of 3 sign; can be signed here now, by a.lind.key, c.dahl.key"),
        ] {
            let found = roles(&[office(Role::Channels, 2)], &[], (&here(names), &[]), now);
            assert_eq!((found.len(), found[0].says.as_str()), (1, says));
        }
        let stranger =
            roles(&[office(Role::Channels, 2)], &[], (&here(&["e.vil", "ci"]), &here(&["ci"])), now);
        assert_eq!((stranger[1].subject.as_str(), stranger[1].state), ("key e.vil.key", State::Bad));
        assert_eq!(stranger[2].says, "it stands in the list `ci.key`");
    }

    #[test]
    fn a_key_counts_once_however_often_it_is_given_or_listed() {
        let now = At::from_unix(1_800_000_000);
        let here = ["a.key", "copy.key"].map(|file| (file.to_owned(), b"a.lind".to_vec()));
        let found = roles(&[office(Role::Channels, 2)], &[], (&here, &[]), now);
        assert_eq!(found[0].says, "2 of 3 sign; a.key here, and 1 of: b.berg, c.dahl");
        let copy = Check::good("key copy.key", "the same key as a.key: both count as one");
        assert_eq!(found[1..], [copy]);
        let mut twice = office(Role::Channels, 2);
        twice.keys[1] = Held { id: "another id".to_owned(), ..twice.keys[0].clone() };
        let found = roles(&[twice], &[], (&here, &[]), now);
        assert_eq!(found[0].says, "2 of 2 sign; a.key here, and 1 of: c.dahl");
    }

    #[test]
    fn what_ends_is_told_by_how_soon() {
        let now = At::from_unix(1_800_000_000);
        for (role, days, state) in [
            (Role::Root, 40, State::Good),
            (Role::Root, 20, State::Good),
            (Role::Root, 5, State::Soon),
            (Role::Root, -1, State::Bad),
            (Role::Timestamp, 1, State::Good),
        ] {
            let at = At::from_unix(now.unix() + days * 86_400);
            let found = roles(&[office(role, 1)], &[(role, at)], (&[], &[]), now);
            assert_eq!(
                (found[0].state, found[0].next.is_some()),
                (state, state != State::Good),
                "{role} {days}"
            );
        }
    }
}
