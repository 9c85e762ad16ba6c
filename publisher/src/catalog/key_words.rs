//! What a change of a key list means, as the holders of `targets` say it.

use pdp_policies::trust::metadata;
use pdp_policies::{KeyList, KeyPurpose, KeyState, ListedKey};

/// So many digits of a key's id are shown; the values beside it have the whole key.
const DIGITS: usize = 12;

/// One line for each key that is another one than before.
pub(super) fn of_keys(purpose: KeyPurpose, before: &KeyList, after: &KeyList) -> Vec<String> {
    let changed = after.keys.iter().filter_map(|key| {
        let was = same(before, key);
        let what = change(purpose, was, key)?;
        Some(format!("{} key {} {what}", purpose.name(), id(key)))
    });
    let gone = before.keys.iter().filter(|key| same(after, key).is_none());
    let gone = gone.map(|key| format!("{} key {} is LISTED NO MORE", purpose.name(), id(key)));
    changed.chain(gone).collect()
}

fn same<'a>(list: &'a KeyList, key: &ListedKey) -> Option<&'a ListedKey> {
    list.keys.iter().find(|other| other.der() == key.der())
}

fn change(purpose: KeyPurpose, was: Option<&ListedKey>, is: &ListedKey) -> Option<String> {
    let state = |key: &ListedKey| (key.state, key.retired_at);
    if was.map(state) == Some(state(is)) {
        return None;
    }
    let again = match was.map(|key| key.state) {
        Some(KeyState::Revoked) => ", THOUGH IT WAS REVOKED",
        Some(KeyState::Retired) if is.state == KeyState::Active => ", THOUGH IT WAS OUT OF USE",
        _ => "",
    };
    Some(format!("{}{again}", now(purpose, is)))
}

fn now(purpose: KeyPurpose, key: &ListedKey) -> String {
    match (key.state, purpose, key.retired_at) {
        (KeyState::Active, KeyPurpose::Director, _) => "may direct from now on".to_owned(),
        (KeyState::Active, KeyPurpose::Artifact, _) => "vouches for artifacts from now on".to_owned(),
        (KeyState::Active, KeyPurpose::Statement, _) => {
            "signs SBOMs and VEX documents from now on".to_owned()
        }
        (KeyState::Retired, KeyPurpose::Artifact | KeyPurpose::Statement, Some(at)) => {
            format!("is retired: counts for levels promoted before {at}")
        }
        (KeyState::Retired, ..) => "is retired: nothing that it signed counts".to_owned(),
        (KeyState::Revoked, ..) => "is REVOKED: nothing it ever signed counts".to_owned(),
    }
}

fn id(key: &ListedKey) -> String {
    let id = metadata::key(&key.public_key).map_or_else(|_| "of an unknown type".to_owned(), |(id, _)| id);
    id.chars().take(DIGITS).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use pdp_policies::At;
    use sigstore_crypto::KeyPair;

    fn key() -> String {
        KeyPair::generate_ecdsa_p256().unwrap().public_key_der().unwrap().to_pem()
    }

    /// What is said of one key that goes from one state to another; none: it isn't listed.
    fn said(was: Option<(KeyState, Option<i64>)>, is: Option<(KeyState, Option<i64>)>) -> Vec<String> {
        let pem = key();
        let list = |state: Option<(KeyState, Option<i64>)>| {
            let mut list = KeyList::active(state.map(|_| pem.clone()));
            for (key, (state, at)) in list.keys.iter_mut().zip(state) {
                (key.state, key.retired_at) = (state, at.map(At::from_unix));
            }
            list
        };
        let id = metadata::key(&pem).unwrap().0;
        let lines = of_keys(KeyPurpose::Artifact, &list(was), &list(is));
        lines.into_iter().map(|line| line.replace(&id[..DIGITS], "ID")).collect()
    }

    #[test]
    fn each_change_has_its_words() {
        use KeyState::{Active, Retired, Revoked};
        let active = Some((Active, None));
        let retired = Some((Retired, Some(1_800_000_000)));
        let revoked = Some((Revoked, None));
        for (was, is, words) in [
            (None, active, "artifact key ID vouches for artifacts from now on"),
            (
                active,
                retired,
                "artifact key ID is retired: counts for levels promoted before 2027-01-15T08:00:00Z",
            ),
            (active, Some((Retired, None)), "artifact key ID is retired: nothing that it signed counts"),
            (
                retired,
                Some((Retired, Some(1_800_000_060))),
                "artifact key ID is retired: counts for levels promoted before 2027-01-15T08:01:00Z",
            ),
            (active, revoked, "artifact key ID is REVOKED: nothing it ever signed counts"),
            (revoked, active, "artifact key ID vouches for artifacts from now on, THOUGH IT WAS REVOKED"),
            (retired, active, "artifact key ID vouches for artifacts from now on, THOUGH IT WAS OUT OF USE"),
            (active, None, "artifact key ID is LISTED NO MORE"),
        ] {
            assert_eq!(said(was, is), [words]);
            assert!(said(is, is).is_empty());
        }
    }
}
