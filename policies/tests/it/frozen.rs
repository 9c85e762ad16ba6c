//! Documents as an older version wrote them (`fixtures/frozen`).

use pdp_policies::CatalogTree;
use pdp_policies::decision::DecisionRecord;
use pdp_policies::instruction::{Enrolled, Enrolment};
use pdp_policies::policy::Policy;
use pdp_policies::trust::{self, Floors, Judged};
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
    assert_eq!(
        policy.ineffective(Some(&policy), "2026-11-25T00:00:00Z".parse().unwrap()),
        Vec::<String>::new()
    );
}

#[test]
fn enrolment_is_read_to_the_last_field() {
    let answer: Enrolled = read(file!("enrolment/answered/answer.json"));
    assert_eq!((answer.id.to_string().as_str(), answer.ring.as_str()), ("acme/prod", "canary"));
    let request: Enrolment = read(file!("enrolment/unanswered/request.json"));
    assert_eq!(request.organization.as_str(), "shop");
}

#[test]
fn ed25519_keys_as_pem_are_read_until_they_are_replaced() {
    macro_rules! ed25519 {
        ($($path:literal),*) => {
            [$(($path, &include_bytes!(concat!("../../../fixtures/frozen/3be48cb/ed25519/catalog/", $path))[..])),*]
        };
    }
    let mut tree = CatalogTree::new();
    for (path, bytes) in ed25519!(
        "metadata/1.root.json",
        "metadata/targets.json",
        "metadata/releases.json",
        "metadata/channels.json",
        "metadata/snapshot.json",
        "metadata/timestamp.json",
        "targets/artifact-keys.json",
        "targets/director-keys.json",
        "targets/channel-pdp-2026.json"
    ) {
        tree.insert(path, bytes.to_vec()).unwrap();
    }
    let root = tree.get("metadata/1.root.json").unwrap().to_vec();
    assert!(String::from_utf8_lossy(&root).contains("BEGIN PUBLIC KEY"));
    let now = "2026-11-29T07:00:00Z".parse().unwrap();
    assert!(matches!(trust::catalog(tree, &Floors::new(root), now, true), Judged::Trusted(..)));
}

#[test]
fn an_ed25519_key_is_written_as_32_bytes_in_hex() {
    let pem = include_str!("../../../fixtures/frozen/3be48cb/ed25519/keys/root-1.pub");
    let (id, listed) = trust::metadata::key(pem).unwrap();
    let public = listed["keyval"]["public"].as_str().unwrap();
    assert_eq!((public.len(), hex::decode(public).unwrap().len(), id.len()), (64, 32, 64));
    let as_pem =
        serde_json::json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": pem } });
    assert_eq!(
        trust::metadata::material(&listed),
        trust::metadata::material(&as_pem),
        "one key in two forms"
    );
}
