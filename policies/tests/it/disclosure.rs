//! What a level says of its advisories, what is said later, and what can't be meant.

use pdp_policies::disclosure::{Disclosed, Disclosure, Justification, contradictions};
use pdp_policies::{Digest, Release};
use serde_json::{Value, json};

const VECTOR: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";

/// One advisory with all that can be said; `more` goes over it.
fn one(more: &Value) -> Value {
    let mut value = json!({
        "id": "WSO2-2026-0142", "cves": ["CVE-2026-41123"], "cvss": VECTOR, "severity": "critical", "knownExploited": true,
        "introducedIn": 40, "confirmedAt": "2026-11-20T08:00:00Z", "publishedAt": "2026-11-22T08:00:00Z",
        "title": "Anybody reads secrets", "description": "A\nB", "components": ["agent", "router"],
        "notAffected": [{ "component": "cilium", "justification": "vulnerable_code_not_present" }],
    });
    for (key, it) in more.as_object().unwrap() {
        value[key] = it.clone();
    }
    value
}

fn read(all: &[Value]) -> Vec<Disclosed> {
    all.iter().map(|it| serde_json::from_value(it.clone()).unwrap()).collect()
}

fn document(advisories: &[Value]) -> Vec<u8> {
    let value = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "line": "pdp-2026", "level": 42, "sha256": Digest::of(b"42").hex(),
        "advisories": advisories,
    });
    value.to_string().into_bytes()
}

#[test]
fn what_cannot_both_be_meant_is_found() {
    let second = |more: Value| {
        let mut value = one(&json!({ "id": "WSO2-2026-0143", "cves": ["CVE-2026-2222"] }));
        more.as_object().unwrap().iter().for_each(|(key, it)| value[key] = it.clone());
        value
    };
    let spared = |names: &[&str]| {
        names
            .iter()
            .map(|it| json!({ "component": it, "justification": "component_not_present" }))
            .collect::<Vec<_>>()
    };
    for (more, wanted) in [
        (json!({}), &[][..]),
        (json!({ "id": "WSO2-2026-0142" }), &["advisory 1 has the same id"][..]),
        (json!({ "cves": ["CVE-2026-41123"] }), &["advisory 1 is about CVE-2026-41123, too"]),
        (json!({ "id": "CVE-2026-41123" }), &["advisory 1 is about CVE-2026-41123, too"]),
        (json!({ "components": ["agent", "agent"] }), &["component `agent` stands there twice"]),
        (json!({ "notAffected": spared(&["cilium", "cilium"]) }), &["component `cilium` stands there twice"]),
        (
            json!({ "notAffected": spared(&["agent"]) }),
            &["component `agent` is said to be affected, and not to be"],
        ),
        (json!({ "components": [] }), &["it is about no component"]),
    ] {
        let all = [one(&json!({})), second(more.clone())];
        let found = contradictions(&read(&all));
        let words: Vec<_> = found.iter().map(|(number, it)| (*number, it.to_string())).collect();
        let wanted: Vec<_> = wanted.iter().map(|it| (1, (*it).to_owned())).collect();
        assert_eq!(words, wanted, "{more}");
        let refused = Disclosure::read("it", &document(&all));
        assert_eq!(refused.is_err(), !wanted.is_empty(), "{refused:?}");
    }
}

#[test]
fn a_level_says_nothing_that_tells_what_is_under_embargo() {
    let [open, secret] =
        &read(&[one(&json!({})), one(&json!({ "embargoedUntil": "2026-12-20T08:00:00Z" }))])[..]
    else {
        unreachable!()
    };
    assert_eq!(open.advisory.as_signed(), open.advisory);
    let signed = serde_json::to_value(secret.advisory.as_signed()).unwrap();
    let wanted = json!({
        "id": "WSO2-2026-0142", "severity": "critical", "knownExploited": true, "confirmedAt": "2026-11-20T08:00:00Z",
        "publishedAt": "2026-11-22T08:00:00Z", "embargoedUntil": "2026-12-20T08:00:00Z",
    });
    assert_eq!(signed, wanted);
}

#[test]
fn a_disclosure_tells_of_what_the_level_signed_and_of_nothing_else() {
    let until = json!({ "embargoedUntil": "2026-12-20T08:00:00Z" });
    let read = |all: &[Value]| Disclosure::read("it", &document(all)).unwrap();
    let told = read(&[one(&until)]);
    let signed = told.advisories[0].advisory.as_signed();
    assert_eq!(told.of(&signed), Some(&told.advisories[0].advisory));
    for (field, other) in [
        ("id", json!("WSO2-2026-0143")),
        ("severity", json!("low")),
        ("knownExploited", json!(false)),
        ("confirmedAt", json!("2026-11-19T08:00:00Z")),
        ("publishedAt", json!("2026-11-21T08:00:00Z")),
        ("embargoedUntil", json!("2026-12-01T08:00:00Z")),
        ("embargoedUntil", json!(null)),
    ] {
        let mut value = one(&until);
        value[field] = other;
        assert_eq!(read(&[value]).of(&signed), None, "{field}");
    }
    // What isn't under embargo says the same there as in the level.
    let open = read(&[one(&json!({}))]).advisories[0].advisory.clone();
    assert_eq!(read(&[one(&json!({ "cves": [] }))]).of(&open), None);
}

#[test]
fn what_is_too_large_or_too_much_is_refused() {
    let many: Vec<_> = (0..257).map(|n| one(&json!({ "id": n.to_string(), "cves": [] }))).collect();
    assert!(Disclosure::read("it", &document(&many[..256])).is_ok());
    assert!(Disclosure::read("it", &document(&many)).unwrap_err().to_string().contains("more than 256"));
    let long = one(&json!({ "description": "x".repeat(4 * 1024 * 1024) }));
    assert!(Disclosure::read("it", &document(&[long])).unwrap_err().to_string().contains("at most"));
}

#[test]
fn reasons_have_the_names_that_openvex_gives_them() {
    let names: Vec<_> = Justification::ALL.iter().map(|it| serde_json::to_value(it).unwrap()).collect();
    let wanted = [
        "component_not_present",
        "vulnerable_code_not_present",
        "vulnerable_code_not_in_execute_path",
        "vulnerable_code_cannot_be_controlled_by_adversary",
        "inline_mitigations_already_exist",
    ];
    assert_eq!(names, wanted);
}

#[test]
fn a_vector_of_a_version_to_come_keeps_no_data_plane_from_a_level() {
    let release = |cvss: &str| {
        let mut value: Value =
            serde_json::from_slice(&pdp_policies::document::write(&crate::vendor::release(42)).unwrap())
                .unwrap();
        value["advisories"] = json!([one(&json!({ "cvss": cvss }))]);
        Release::read("release", value.to_string().as_bytes())
    };
    assert!(release("CVSS:5.0/NEW:X").is_ok());
    assert!(release("CVSS:3.1/\u{1b}[2J").is_err());
}
