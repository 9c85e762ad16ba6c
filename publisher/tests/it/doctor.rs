//! `publisher doctor` where nearly nothing can be looked at.

use serde_json::Value;

use crate::bare;

#[test]
fn what_was_not_looked_at_is_named_to_people_and_machines() {
    let nothing = ["doctor", "--catalog", "/nowhere", "--root", "/nowhere", "--helm", "/nowhere"];
    let unseen =
        ["keys", "roles", "rights at the Git host", "clock of the Git host", "registry", "channel server"];
    let (exit, text, _) = bare(&nothing);
    let ending = format!("✗ 2 would stop a release; not looked at: {}", unseen.join(", "));
    assert_eq!((exit, text.lines().last()), (1, Some(ending.as_str())), "{text}");
    assert!(text.contains("– channel server: not looked at: no --server was given"), "{text}");
    let (_, json, _) = bare(&[&nothing[..], &["-o", "json"]].concat());
    let all: Value = serde_json::from_str(&json).unwrap();
    let of_state = all.as_array().unwrap().iter().filter(|check| check["state"] == "notLookedAt");
    assert_eq!(
        of_state.map(|check| check["subject"].as_str().unwrap()).collect::<Vec<_>>(),
        unseen,
        "{json}"
    );
}
