//! What floors do when keys change: nobody is led back by a change of keys.

use std::rc::Rc;

use pdp_policies::trust::{Catalog, Floors, Judged, Verified, Vouchers, catalog, signed_artifact};
use pdp_policies::{At, KeyList, KeyState, ListedKey, RefusalCode};
use serde_json::Value;

use crate::office::{Office, Role, judged};
use crate::vendor::{Key, NOW, now, release};

const PEOPLE: [&str; 3] = ["targets", "releases", "channels"];

fn hours(hours: i64) -> At {
    At::from_unix(NOW + hours * 3600)
}

/// An office, and what a data plane knows after it saw version 9 of a role.
fn seen(role: &'static str) -> (Office, Floors) {
    let mut office = Office::new();
    office.versions.insert(role, 9);
    let floors = judged(office.tree(now()), &office.floors(), now()).unwrap();
    (office, floors)
}

/// Gives a role other holders, wherever they are listed.
fn change(office: &mut Office, role: &'static str, to: Role) {
    match role {
        "releases" | "channels" => {
            office.roles.insert(role, to);
            *office.versions.get_mut("targets").unwrap() += 1;
        }
        _ => office.rotate(role, to),
    }
}

/// The role's holders with `kept` of them left, `new` new ones, and this threshold.
fn holders(office: &Office, role: &str, kept: usize, new: usize, threshold: usize) -> Role {
    let mut keys: Vec<Rc<Key>> = office.roles[role].keys[..kept].to_vec();
    keys.extend((0..new).map(|_| Rc::new(Key::new())));
    Role { keys, threshold }
}

#[test]
fn a_role_of_people_never_falls_while_enough_of_its_holders_are_left_to_sign() {
    // Of three holders, two needed: how many stay, how many come, how many are needed then; does the floor fall?
    let changes = [
        ("a fourth is added", 3, 1, 2, false),
        ("one of three is replaced", 2, 1, 2, false),
        ("the threshold is raised", 3, 0, 3, false),
        ("one leaves", 2, 0, 2, false),
        ("two of three are replaced", 1, 2, 2, true),
        ("all are replaced", 0, 3, 2, true),
    ];
    for role in PEOPLE {
        for (name, kept, new, threshold, falls) in changes {
            let (mut office, floors) = seen(role);
            let to = holders(&office, role, kept, new, threshold);
            change(&mut office, role, to);
            office.versions.insert(role, 5);
            match judged(office.tree(hours(1)), &floors, hours(1)) {
                Ok(after) => {
                    assert!(falls, "{role}: {name}");
                    assert_eq!(after.role(role).unwrap().version, 5);
                    assert!(after.covers(&floors), "{role}: {name}: it began anew for every reader");
                }
                Err(refused) => {
                    let refusal = refused.0;
                    assert!(!falls, "{role}: {name}: {refusal}");
                    assert_eq!(refusal.code, RefusalCode::VersionFloor, "{role}: {name}: {refusal}");
                    assert_eq!(refusal.subject, format!("metadata/{role}.json"));
                }
            }
            office.versions.insert(role, 10);
            assert!(
                judged(office.tree(hours(1)), &floors, hours(1)).is_ok(),
                "{role}: {name}: news are followed"
            );
        }
    }
}

#[test]
fn readers_with_the_same_holders_left_are_compared_by_version() {
    let (mut office, newest) = seen("channels");
    let to = holders(&office, "channels", 3, 1, 2);
    change(&mut office, "channels", to);
    office.versions.insert("channels", 5);
    let behind = judged(office.tree(hours(1)), &office.floors(), hours(1)).unwrap();
    assert!(!behind.covers(&newest), "a new key list is no newer version");
}

#[test]
fn a_new_online_key_lets_both_online_floors_fall_and_no_other() {
    for role in ["timestamp", "snapshot"] {
        let mut office = Office::new();
        let floors = judged(office.tree(hours(5)), &office.floors(), hours(5)).unwrap();
        let older = judged(office.tree(hours(1)), &floors, hours(5)).unwrap_err().0;
        assert_eq!(
            (older.code, older.subject.as_str()),
            (RefusalCode::VersionFloor, "metadata/timestamp.json")
        );
        office.rotate(role, Role::new(1, 1));
        let after = judged(office.tree(hours(1)), &floors, hours(5)).unwrap();
        assert_eq!(after.role("timestamp").unwrap().version, u64::try_from(NOW + 3600).unwrap());
        let (mut office, floors) = seen("channels");
        office.rotate(role, Role::new(1, 1));
        office.versions.insert("channels", 8);
        let refusal = judged(office.tree(hours(1)), &floors, hours(1)).unwrap_err().0;
        assert_eq!(refusal.subject, "metadata/channels.json", "{role}");
    }
}

#[test]
fn a_verified_root_counts_whatever_the_rest_says() {
    let mut office = Office::new();
    let floors = judged(office.tree(now()), &office.floors(), now()).unwrap();
    let stolen = office.tree(hours(1));
    office.rotate("timestamp", Role::new(1, 1));
    // Whoever relays it spoils what follows the root.
    let mut spoilt = pdp_policies::CatalogTree::new();
    for (path, bytes) in office.tree(hours(1)).iter().filter(|(path, _)| !path.ends_with("snapshot.json")) {
        spoilt.insert(path, bytes.to_vec()).unwrap();
    }
    let (refusal, rooted) = *judged(spoilt, &floors, hours(1)).unwrap_err();
    assert_eq!(refusal.subject, "metadata/snapshot.json");
    assert!(rooted.worth_saving(&floors));
    let (refusal, _) = *judged(stolen, &rooted, hours(1)).unwrap_err();
    assert_eq!((refusal.code, refusal.subject.as_str()), (RefusalCode::VersionFloor, "metadata/1.root.json"));
    assert!(judged(office.tree(hours(2)), &rooted, hours(2)).is_ok());
}

#[test]
fn a_chain_of_fifty_roots_is_followed_and_one_without_a_link_is_kept_up_to_there() {
    let mut office = Office::new();
    for n in 0..49 {
        let role = ["root", "targets", "timestamp", "snapshot"][n % 4];
        let to = if n % 4 < 2 { holders(&office, role, 2, 1, 2) } else { Role::new(1, 1) };
        office.rotate(role, to);
    }
    let floors = judged(office.tree(now()), &office.floors(), now()).unwrap();
    assert!(floors.root().windows(13).any(|it| it == b"\"version\": 50"));
    let mut gap = pdp_policies::CatalogTree::new();
    for (path, bytes) in office.tree(now()).iter().filter(|(path, _)| *path != "metadata/30.root.json") {
        gap.insert(path, bytes.to_vec()).unwrap();
    }
    let (_, rooted) = *judged(gap, &office.floors(), now()).unwrap_err();
    assert!(rooted.root().windows(13).any(|it| it == b"\"version\": 29"));
}

#[test]
fn the_floor_of_an_online_role_is_worth_one_write_a_day() {
    let office = Office::new();
    let floors = |at| judged(office.tree(at), &office.floors(), at).unwrap();
    let stored = floors(now());
    assert!(!floors(hours(23)).worth_saving(&stored));
    assert!(floors(hours(24)).worth_saving(&stored));
    let refusal = judged(office.tree(hours(-48)), &stored, now()).unwrap_err().0;
    assert_eq!(refusal.code, RefusalCode::VersionFloor);
}

#[test]
fn floors_of_versions_that_kept_no_holders_fall_for_nobody() {
    let (mut office, floors) = seen("channels");
    let mut old = serde_json::to_value(&floors).unwrap();
    for role in old["roles"].as_object_mut().unwrap().values_mut() {
        role.as_object_mut().unwrap().remove("holders").unwrap();
    }
    let old: Floors = serde_json::from_value(old).unwrap();
    let to = holders(&office, "channels", 0, 3, 2);
    change(&mut office, "channels", to);
    office.versions.insert("channels", 5);
    assert_eq!(judged(office.tree(hours(1)), &old, hours(1)).unwrap_err().0.code, RefusalCode::VersionFloor);
    office.versions.insert("channels", 10);
    let carried = judged(office.tree(hours(1)), &old, hours(1)).unwrap();
    assert!(carried.worth_saving(&old) && carried.covers(&old));
}

#[test]
fn an_expiry_has_one_form_in_every_role() {
    let wrong = [
        "2036-11-23T08:00:00+00:00",
        "2036-11-23T10:00:00+02:00",
        "2036-11-23T08:00:00.5Z",
        "2036-11-23T08:00:60Z",
        "2036-11-23T08:00Z",
        "2036-11-23 08:00:00Z",
        "2036-11-23t08:00:00z",
        "2036-11-23",
    ];
    for role in ["root", "timestamp", "snapshot", "targets", "releases", "channels"] {
        for text in wrong {
            let mut office = Office::new();
            office.edit = Box::new(move |name, payload: &mut Value| {
                if name == role {
                    payload["expires"] = text.into();
                }
            });
            if role == "root" {
                office.new_root(&[]);
            }
            let refusal = judged(office.tree(now()), &office.floors(), now()).unwrap_err().0;
            assert_eq!(refusal.code, RefusalCode::Unreadable, "{role} {text}: {refusal}");
        }
    }
}

fn trusted(office: &Office) -> Verified<Catalog> {
    match catalog(office.tree(now()), &office.floors(), now(), true) {
        Judged::Trusted(catalog, _) => *catalog,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_artifact_key_out_of_use_counts_for_what_was_promoted_before() {
    let key = Key::new();
    let shared = release(41).components[0].artifact.digest();
    let before = release(41).bundle.digest;
    let after = release(42).bundle.digest;
    let (old, new) = (At::from_unix(NOW - 3600), At::from_unix(NOW - 200_000));
    // Level 41 was promoted a day ago; the key is out of use since an hour, or since before that.
    for (state, retired_at, counts) in [
        (KeyState::Active, None, [true, true, true]),
        (KeyState::Retired, Some(old), [true, true, false]),
        (KeyState::Retired, Some(new), [false, false, false]),
        (KeyState::Retired, None, [false, false, false]),
        (KeyState::Revoked, Some(old), [false, false, false]),
    ] {
        let mut office = Office::new();
        let listed = ListedKey { public_key: key.pem.clone(), state, retired_at };
        office.artifacts.keys = vec![listed, KeyList::active([Key::new().pem]).keys.remove(0)];
        let vouchers = Vouchers::of(&trusted(&office));
        for (digest, counts) in [before, shared, after].into_iter().zip(counts) {
            let verdict = signed_artifact("it", &digest, &[key.bundle(&digest)], &vouchers);
            assert_eq!(verdict.is_ok(), counts, "{state:?} {retired_at:?} {digest}: {verdict:?}");
        }
    }
}

#[test]
fn holders_who_come_back_are_not_led_back_to_what_they_signed_before() {
    for role in PEOPLE {
        let mut office = Office::new();
        let (first, second) = (office.roles[role].clone(), Role::new(3, 2));
        let mut floors = office.floors();
        let mut step = |office: &mut Office, hour, version| {
            office.versions.insert(role, version);
            let judged =
                judged(office.tree(hours(hour)), &floors, hours(hour)).map_err(|refused| refused.0.code);
            judged.map(|after| floors = after)
        };
        step(&mut office, 0, 5).unwrap();
        change(&mut office, role, second);
        step(&mut office, 1, 2).unwrap();
        change(&mut office, role, first);
        assert_eq!(step(&mut office, 2, 4), Err(RefusalCode::VersionFloor), "{role}");
        step(&mut office, 3, 6).unwrap();
    }
}

#[test]
fn a_root_file_that_was_written_in_another_way_is_the_same_root() {
    let mut office = Office::new();
    office.rotate("timestamp", Role::new(1, 1));
    let honest = office.tree(now());
    let mut rewritten = pdp_policies::CatalogTree::new();
    for (path, bytes) in honest.iter() {
        let bytes = match path {
            "metadata/2.root.json" => {
                let mut file: Value = serde_json::from_slice(bytes).unwrap();
                file["signatures"].as_array_mut().unwrap().reverse();
                serde_json::to_vec(&file).unwrap()
            }
            _ => bytes.to_vec(),
        };
        rewritten.insert(path, bytes).unwrap();
    }
    let floors = judged(rewritten, &office.floors(), now()).unwrap();
    assert!(judged(honest, &floors, hours(1)).is_ok());
}

#[test]
fn a_data_plane_at_any_old_root_follows_the_chain_of_fifty() {
    let mut office = Office::new();
    let mut known = vec![judged(office.tree(now()), &office.floors(), now()).unwrap()];
    for version in 2..=50_i64 {
        let role = ["root", "targets", "snapshot", "timestamp"][usize::try_from(version % 4).unwrap()];
        let to = match role {
            "root" | "targets" => {
                let mut keys = office.roles[role].keys[1..].to_vec();
                keys.push(Rc::new(Key::new()));
                Role { keys, threshold: 2 }
            }
            _ => Role::new(1, 1),
        };
        change(&mut office, role, to);
        let last = known.last().unwrap();
        known.push(judged(office.tree(hours(version)), last, hours(version)).unwrap());
    }
    let tree = office.tree(hours(60));
    let newest = tree.get("metadata/50.root.json").unwrap().to_vec();
    let without: Vec<_> = tree.iter().filter(|(path, _)| *path != "metadata/30.root.json").collect();
    let mut skips = pdp_policies::CatalogTree::new();
    without.into_iter().for_each(|(path, bytes)| skips.insert(path, bytes.to_vec()).unwrap());
    for (n, floors) in known.iter().enumerate() {
        let after = judged(tree.clone(), floors, hours(60)).unwrap();
        assert_eq!(after.root(), newest, "from root {}", n + 1);
        assert!(
            judged(skips.clone(), floors, hours(60)).is_err(),
            "from root {}: a version is skipped",
            n + 1
        );
    }
}
