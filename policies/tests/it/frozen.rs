//! Documents as an older version wrote them (`fixtures/frozen`).

use pdp_policies::decision::DecisionRecord;
use pdp_policies::instruction::{Enrolled, Enrolment};
use pdp_policies::policy::Policy;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One of them, as it was when this was built.
macro_rules! file {
    ($path:literal) => {
        &include_bytes!(concat!("../../../fixtures/frozen/55b220a/", $path))[..]
    };
}

/// Every field that `before` has, at any depth, is in `after` with the same value; new ones may have come.
fn holds(before: &Value, after: &Value, path: &str) {
    match (before, after) {
        (Value::Object(before), Value::Object(_)) => {
            before.iter().for_each(|(name, value)| holds(value, &after[name], &format!("{path}.{name}")));
        }
        (Value::Array(before), Value::Array(items)) if before.len() == items.len() => {
            before.iter().zip(items).for_each(|(before, after)| holds(before, after, path));
        }
        _ => assert_eq!(before, after, "{path}"),
    }
}

/// What was written is read to the last field: written again, nothing is lost.
fn read<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> T {
    let value: T = serde_json::from_slice(bytes).unwrap();
    holds(&serde_json::from_slice(bytes).unwrap(), &serde_json::to_value(&value).unwrap(), "");
    value
}

#[test]
fn decision_records_are_read_to_the_last_field() {
    for (name, bytes, installed, unfinished) in [
        ("done", file!("data-planes/done/state/record.json"), 41, false),
        ("applying", file!("data-planes/applying/state/record.json"), 40, true),
        ("ring-state", file!("data-planes/ring-state/state/record.json"), 41, false),
    ] {
        let record = DecisionRecord::load(bytes).unwrap();
        assert_eq!(record.is_unfinished(), unfinished, "{name}");
        assert_eq!(record.target().level.0, 41, "{name}");
        assert_eq!(record.installed().unwrap().level.0, installed, "{name}");
        let again = record.to_bytes().unwrap();
        holds(&serde_json::from_slice(bytes).unwrap(), &serde_json::from_slice(&again).unwrap(), name);
    }
}

#[test]
fn a_policy_is_read_to_the_last_field_and_nothing_is_wrong_with_it() {
    let policy: Policy = read(file!("data-planes/done/state/policy.json"));
    assert!(policy.pin.is_some() && policy.windows.len() == 2 && policy.freezes.len() == 1);
    assert!(policy.minimum_age.is_some() && policy.overrides.len() == 1);
    assert_eq!(policy.problems(), Vec::<String>::new());
}

#[test]
fn enrolment_is_read_to_the_last_field() {
    let answer: Enrolled = read(file!("enrolment/answered/answer.json"));
    assert_eq!((answer.id.to_string().as_str(), answer.ring.as_str()), ("acme/prod", "canary"));
    let request: Enrolment = read(file!("enrolment/unanswered/request.json"));
    assert_eq!(request.organization.as_str(), "shop");
}
