//! What may be written, field by field.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

const VECTOR: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";

fn names(of: &[&str]) -> Vec<ComponentName> {
    of.iter().map(|name| name.parse().unwrap()).collect()
}

/// `field code` of every problem, and what is said, of an advisory with `more` in it.
fn read(more: &Value) -> (Vec<String>, Disclosed) {
    let mut value = json!({
        "id": "WSO2-2026-0142", "severity": "critical", "confirmedAt": "2026-11-20T08:00:00Z",
        "publishedAt": "2026-11-22T08:00:00Z",
    });
    more.as_object().unwrap().iter().for_each(|(key, it)| value[key] = it.clone());
    let entry: AdvisoryEntry = serde_json::from_value(value).unwrap();
    let (installed, removed) = (names(&["router", "agent", "cilium"]), names(&["old"]));
    let (found, problems) = stated(&entry, &Known { installed: &installed, removed: &removed });
    (problems.iter().map(|it| format!("{} {}", it.field, it.code)).collect(), found)
}

#[test]
fn every_field_has_its_grammar() {
    let soon = "2026-12-20T08:00:00Z";
    let spared = |name: &str| json!([{ "component": name, "justification": "vulnerable_code_not_present" }]);
    for (more, wanted) in [
        (json!({}), &[][..]),
        (json!({ "id": "WSO2-2026-1" }), &[]),
        (json!({ "id": "a" }), &[]),
        (json!({ "id": "CVE-2026-41123" }), &[]),
        (json!({ "id": "x".repeat(64) }), &[]),
        (json!({ "id": "x".repeat(65) }), &["id BadAdvisory"][..]),
        (json!({ "id": "" }), &["id BadAdvisory"]),
        (json!({ "id": "-a" }), &["id BadAdvisory"]),
        (json!({ "id": "a b" }), &["id BadAdvisory"]),
        (json!({ "id": "a\u{1b}[2J" }), &["id BadAdvisory"]),
        (json!({ "id": "WSO2-26-1" }), &["id BadAdvisory"]),
        (json!({ "id": "WSO2-2026-" }), &["id BadAdvisory"]),
        (json!({ "id": "CVE-2026-1" }), &["id BadAdvisory"]),
        (json!({ "id": "CVE-2026-41123", "embargoedUntil": soon }), &["id EmbargoTold"]),
        (json!({ "id": "for-cve-2026-41123", "embargoedUntil": soon }), &["id EmbargoTold"]),
        (json!({ "cves": ["CVE-2026-41123", "CVE-2026-41124"] }), &[]),
        (json!({ "cves": ["CVE-2026-41123", "CVE-2026-41123"] }), &["cves AdvisoryTwice"]),
        (json!({ "cves": ["CVE-2026-1", "cve-2026-41123"] }), &["cves BadAdvisory", "cves BadAdvisory"]),
        (
            json!({ "cves": (1000..1065).map(|n| format!("CVE-2026-{n}")).collect::<Vec<_>>() }),
            &["cves BadAdvisory"],
        ),
        (json!({ "cvss": VECTOR }), &[]),
        (json!({ "cvss": VECTOR, "severity": null }), &[]),
        (json!({ "cvss": VECTOR, "severity": "high" }), &["severity SeverityContradicts"]),
        (json!({ "cvss": "9.8" }), &["cvss BadAdvisory"]),
        (json!({ "cvss": "9.8", "severity": null }), &["cvss BadAdvisory"]),
        (json!({ "severity": null }), &["severity BadAdvisory"]),
        (json!({ "title": "Anybody reads secrets ✔" }), &[]),
        (json!({ "title": " " }), &["title BadAdvisory"]),
        (json!({ "title": "a\nb" }), &["title BadAdvisory"]),
        (json!({ "title": "a\u{202e}b" }), &["title BadAdvisory"]),
        (json!({ "title": "ä".repeat(200) }), &[]),
        (json!({ "title": "ä".repeat(201) }), &["title BadAdvisory"]),
        (json!({ "description": "a\nb\n" }), &[]),
        (json!({ "description": "a\u{1b}[2J" }), &["description BadAdvisory"]),
        (json!({ "description": "ä".repeat(8001) }), &["description BadAdvisory"]),
        (json!({ "components": ["agent", "old"] }), &[]),
        (json!({ "components": ["nobody"] }), &["components AdvisoryContradicts"]),
        (json!({ "notAffected": spared("cilium") }), &[]),
        (json!({ "notAffected": spared("nobody") }), &["notAffected AdvisoryContradicts"]),
        (json!({ "embargoedUntil": soon }), &[]),
        (json!({ "embargoedUntil": "2026-11-20T08:00:00Z" }), &["embargoedUntil AdvisoryContradicts"]),
    ] {
        assert_eq!(read(&more).0, wanted, "{more}");
    }
}

#[test]
fn what_contradicts_is_told_with_both_values() {
    let mut entry: AdvisoryEntry = serde_json::from_value(json!({
        "id": "a", "severity": "low", "cvss": VECTOR, "confirmedAt": "2026-11-20T08:00:00Z", "publishedAt": "2026-11-22T08:00:00Z",
    }))
    .unwrap();
    let known = Known { installed: &names(&["agent"]), removed: &[] };
    let message = |entry: &AdvisoryEntry| stated(entry, &known).1.pop().map(|it| it.message);
    let wanted = "severity is Low, but the vector comes to 9.8, which is Critical";
    assert_eq!(message(&entry).as_deref(), Some(wanted));
    entry.severity = None;
    let found = stated(&entry, &known);
    assert_eq!((found.0.advisory.severity, found.1), (Severity::Critical, Vec::new()));
}

#[test]
fn without_names_it_is_about_all_that_are_not_spared() {
    let spared =
        json!({ "notAffected": [{ "component": "cilium", "justification": "component_not_present" }] });
    assert_eq!(read(&json!({})).1.components, names(&["agent", "cilium", "router"]));
    assert_eq!(read(&spared).1.components, names(&["agent", "router"]));
    let named = json!({ "components": ["router", "old", "router"] });
    assert_eq!(
        read(&named).1.components,
        names(&["old", "router", "router"]),
        "what is twice stays, to be told"
    );
}

#[test]
fn unknown_fields_and_reasons_are_refused_with_their_line() {
    use super::super::AdvisoryFile;
    let good = "advisories:\n  - id: a\n    severity: low\n    confirmedAt: 2026-11-20T08:00:00Z\n    publishedAt: 2026-11-22T08:00:00Z\n";
    assert!(pdp_policies::yaml::read::<AdvisoryFile>(good).is_ok());
    for (more, place) in [
        ("    cvs: x\n", "advisories.0.cvs"),
        (
            "    notAffected: [{component: a, justification: component_not_present, why: x}]\n",
            "advisories.0.notAffected.0.why",
        ),
        ("    notAffected: [{component: a, justification: because}]\n", "6:"),
        ("    severity: bad\n", "6:"),
        ("    components: [A B]\n", "6:"),
    ] {
        let problems = pdp_policies::yaml::read::<AdvisoryFile>(&format!("{good}{more}")).unwrap_err();
        assert!(problems[0].place.starts_with(place), "{more}: {problems:?}");
    }
}
