//! Changes of key lists as a table: what comes, goes out of use, is taken back, and what is refused.

use pdp_policies::{At, BadKeyChange as Bad, KeyList, KeyPurpose, KeyState, ListedKey};
use sigstore_crypto::KeyPair;
use sigstore_types::DerPublicKey;

use KeyPurpose::{Artifact, Director, Statement};
use KeyState::{Active, Retired, Revoked};

fn p256() -> String {
    KeyPair::generate_ecdsa_p256().unwrap().public_key_der().unwrap().to_pem()
}

/// An Ed25519 public key; nobody has the private one.
fn ed25519() -> String {
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n".into()
}

/// A P-256 public key whose point is compressed: another form of a key that may be listed already.
fn compressed() -> String {
    "-----BEGIN PUBLIC KEY-----\nMDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgADRer9UuGEqaxI4J1KuIzVMW7mj+cUj3P+pWCJdo+lT3Q=\n-----END PUBLIC KEY-----\n"
        .into()
}

fn der(pem: &str) -> DerPublicKey {
    DerPublicKey::from_pem(pem).unwrap()
}

fn at(seconds: i64) -> At {
    At::from_unix(1_800_000_000 + seconds)
}

/// A list with one key in each of these states.
fn list(states: &[KeyState]) -> KeyList {
    let mut list = KeyList::active(states.iter().map(|_| p256()));
    for (key, state) in list.keys.iter_mut().zip(states) {
        (key.state, key.retired_at) = (*state, (*state == Retired).then(|| at(0)));
    }
    list
}

fn states(list: &KeyList) -> Vec<KeyState> {
    list.keys.iter().map(|key| key.state).collect()
}

#[test]
fn a_key_is_added_once_and_only_with_the_type_that_its_purpose_needs() {
    let before = list(&[Active]);
    let known = before.keys[0].public_key.clone();
    for (purpose, pem, refused) in [
        (Artifact, p256(), None),
        (Director, ed25519(), None),
        (Artifact, ed25519(), Some(Bad::WrongType(Artifact))),
        (Director, p256(), Some(Bad::WrongType(Director))),
        (Artifact, compressed(), Some(Bad::WrongType(Artifact))),
        (Statement, compressed(), Some(Bad::WrongType(Statement))),
        (Artifact, known.clone(), Some(Bad::Listed(Active))),
        (Artifact, known.replace('\r', ""), Some(Bad::Listed(Active))),
        (Artifact, "no key".into(), Some(Bad::Unreadable)),
    ] {
        let after = before.add(purpose, &pem);
        assert_eq!(after.as_ref().err().copied(), refused, "{purpose:?} {pem}");
        if let Ok(after) = after {
            assert_eq!(
                (states(&after), after.keys[0].clone()),
                (vec![Active, Active], before.keys[0].clone())
            );
        }
    }
}

#[test]
fn a_key_that_was_taken_back_or_put_out_of_use_never_comes_back() {
    for state in [Retired, Revoked] {
        let before = list(&[Active, state]);
        let pem = before.keys[1].public_key.clone();
        assert_eq!(before.add(Artifact, &pem), Err(Bad::Listed(state)), "{state:?}");
    }
}

#[test]
fn each_state_can_be_left_in_one_direction_only() {
    // The first key is changed; the second one is in use.
    for (state, retired, revoked) in [
        (Active, Ok(Retired), Ok(Revoked)),
        (Retired, Err(Bad::Listed(Retired)), Ok(Revoked)),
        (Revoked, Err(Bad::Listed(Revoked)), Err(Bad::Listed(Revoked))),
    ] {
        let before = list(&[state, Active]);
        let key = der(&before.keys[0].public_key);
        let first = |list: KeyList| list.keys[0].state;
        assert_eq!(before.retire(&key, at(60)).map(first), retired, "{state:?}");
        assert_eq!(before.revoke(&key).map(first), revoked, "{state:?}");
    }
}

#[test]
fn a_retired_key_keeps_the_date_of_its_retirement() {
    let before = list(&[Active, Active]);
    let after = before.retire(&der(&before.keys[0].public_key), at(60)).unwrap();
    let expected = ListedKey { state: Retired, retired_at: Some(at(60)), ..before.keys[0].clone() };
    assert_eq!(after.keys, [expected, before.keys[1].clone()]);
}

#[test]
fn somebody_can_always_sign() {
    for states in [&[Active][..], &[Active, Retired], &[Active, Revoked]] {
        let before = list(states);
        let key = der(&before.keys[0].public_key);
        assert_eq!(before.retire(&key, at(0)), Err(Bad::LastActive), "{states:?}");
        assert_eq!(before.revoke(&key), Err(Bad::LastActive), "{states:?}");
    }
}

#[test]
fn what_is_not_listed_is_not_changed() {
    let (before, key) = (list(&[Active]), der(&p256()));
    assert_eq!(before.retire(&key, at(0)), Err(Bad::NotListed));
    assert_eq!(before.revoke(&key), Err(Bad::NotListed));
    assert_eq!(
        (before.state_of(&key), before.state_of(&der(&before.keys[0].public_key))),
        (None, Some(Active))
    );
}
