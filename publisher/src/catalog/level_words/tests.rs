//! What is said of levels.
#![allow(clippy::unwrap_used)]

use pdp_policies::{At, Overridable, RingPlan, Tempo, document};
use serde_json::{Value, json};

use super::*;

fn level(number: u32) -> Level {
    number.to_string().parse().unwrap()
}

/// A release with these components by name and version.
fn release(number: u32, components: &[(&str, &str)], change: impl FnOnce(&mut Value)) -> Release {
    let digest = format!("sha256:{}", "0".repeat(64));
    let component = |(name, version): &(&str, &str)| {
        json!({
            "name": name, "version": version, "stage": 1,
            "artifact": { "manifests": { "digest": digest, "size": 1 } }, "releaseName": name,
            "namespace": name, "onFailure": "rollback", "timeout": "5m", "settle": "1m", "images": [],
        })
    };
    let mut value = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "line": "pdp-2026", "level": number,
        "version": format!("2026.{number}"), "kind": "update",
        "bundle": { "repository": "registry.example/pdp", "digest": digest, "size": 1 },
        "components": components.iter().map(component).collect::<Vec<_>>(),
    });
    change(&mut value);
    Release::read("release", value.to_string().as_bytes()).unwrap()
}

fn promotion(bytes: &[u8]) -> Promotion {
    Promotion {
        sha256: Digest::of(bytes),
        length: bytes.len() as u64,
        promoted_at: At::from_unix(0),
        tempo: Tempo::Normal,
        opens_at: BTreeMap::new(),
        open_to: BTreeMap::new(),
        supersedes: BTreeSet::new(),
        base: None,
        audience: BTreeSet::new(),
        asks_override: BTreeSet::new(),
    }
}

/// A channel that promotes releases, and a catalog that holds them.
fn world(releases: &[&Release]) -> (Channel, CatalogTree) {
    let mut channel = Channel::new("pdp-2026".parse().unwrap(), RingPlan::shipped().unwrap());
    let mut tree = CatalogTree::new();
    for release in releases {
        let bytes = document::write(release).unwrap();
        channel.levels.insert(release.level, promotion(&bytes));
        tree.replace(&format!("targets/{}", Release::target_name(&release.line, release.level)), bytes)
            .unwrap();
    }
    (channel, tree)
}

fn said(releases: &[&Release], known: bool) -> Vec<String> {
    let (channel, tree) = world(releases);
    let trees = if known { vec![&tree] } else { Vec::new() };
    let (level, last) = channel.levels.last_key_value().unwrap();
    promoted(&channel, *level, last, &Known { trees, organizations: &[] })
}

#[test]
fn a_promoted_level_is_told_by_what_it_changes() {
    let before = release(41, &[("cilium", "1.16"), ("agent", "2"), ("old", "1")], |_| {});
    let after = release(42, &[("cilium", "1.17"), ("agent", "2"), ("proxy", "3")], |value| {
        value["kind"] = "security".into();
        value["critical"] = json!(["audiences"]);
        value["removed"] = json!(["old"]);
        value["requires"] = json!({ "from": 40, "kubernetes": ">=1.30" });
        value["components"][1]["stage"] = 2.into();
        value["advisories"] = json!([{
            "id": "CVE-1", "severity": "high", "confirmedAt": "2026-01-01T00:00:00Z",
            "publishedAt": "2026-01-01T00:00:00Z", "embargoedUntil": "2026-02-01T00:00:00Z",
        }]);
    });
    let expected = [
        "level 42 is promoted at tempo Normal",
        "level 42 is a security update, version 2026.42, fixes 1 vulnerabilities, the worst of them High",
        "level 42 fixes CVE-1 (High; under embargo until 2026-02-01T00:00:00Z)",
        "whoever doesn't know `audiences` REFUSES level 42",
        "level 42 against level 41: agent 2 of other bytes or settings, cilium 1.16 → 1.17, NEW proxy 3, old isn't in it",
        "level 42 REMOVES old",
        "level 42 needs level 40 installed before",
        "level 42 needs Kubernetes >=1.30",
    ];
    assert_eq!(said(&[&before, &after], true), expected);
    let first = [
        "level 41 is promoted at tempo Normal",
        "level 41 is an update, version 2026.41",
        "level 41 installs cilium 1.16, agent 2, old 1",
    ];
    assert_eq!(said(&[&before], true), first);
    let unknown = said(&[&before], false);
    assert!(unknown[1].starts_with("level 41 is a release that NOBODY CAN SHOW"), "{unknown:?}");
}

#[test]
fn bytes_that_the_channel_does_not_name_are_not_told() {
    let (channel, _) = world(&[&release(41, &[("cilium", "1.16")], |_| {})]);
    let (_, forged) = world(&[&release(41, &[("harmless", "1")], |_| {})]);
    let known = Known { trees: vec![&forged], organizations: &[] };
    let lines = promoted(&channel, level(41), &channel.levels[&level(41)], &known);
    assert!(lines[1].contains("NOBODY CAN SHOW"), "{lines:?}");
}

#[test]
fn an_audience_is_told_by_the_names_that_people_give() {
    let [acme, evil] = ["acme", "evil"].map(|name| name.parse::<Organization>().unwrap());
    let mut promotion = promotion(b"release");
    let members = [&acme, &evil].map(|name| audience_member(&promotion.sha256, name));
    promotion.audience = members.into();
    let names = [acme];
    let said = audience(&promotion, &Known { trees: Vec::new(), organizations: &names }).unwrap();
    assert!(said.starts_with("2 organization(s) ALONE: ") && said.contains("`acme`"), "{said}");
    assert!(said.contains(&format!("one that no --organization names ({})", members[1].short())), "{said}");
}

#[test]
fn nothing_changes_in_a_promoted_level_without_a_word() {
    let before = promotion(b"release");
    let ring: pdp_policies::Ring = "early".parse().unwrap();
    let share: pdp_policies::Percent = serde_json::from_value(json!(50)).unwrap();
    let member = Digest::of(b"somebody");
    type Change<'a> = Box<dyn Fn(&mut Promotion) + 'a>;
    let changes: Vec<(Change<'_>, &str, &str)> = vec![
        (Box::new(|it| it.sha256 = member), "is ANOTHER RELEASE", "is ANOTHER RELEASE"),
        (Box::new(|it| it.length = 1), "is ANOTHER RELEASE", "is ANOTHER RELEASE"),
        (
            Box::new(|it| it.tempo = Tempo::Emergency),
            "tempo Emergency, not Normal",
            "tempo Normal, not Emergency",
        ),
        (
            Box::new(|it| it.promoted_at = At::from_unix(60)),
            "promoted at 1970-01-01T00:01:00Z",
            "promoted at 1970-01-01T00:00:00Z",
        ),
        (
            Box::new(|it| it.opens_at.extend([(ring.clone(), At::from_unix(0))])),
            "opens to early at",
            "opens to early NO MORE",
        ),
        (Box::new(|it| it.open_to.extend([(ring.clone(), share)])), "early 0 % → 50 %", "early 50 % → 0 %"),
        (
            Box::new(|it| it.supersedes.extend([level(40)])),
            "takes the place of 40, not none",
            "takes the place of none, not 40",
        ),
        (
            Box::new(|it| it.base = Some(level(40))),
            "made on level 40, not none",
            "made on level none, not 40",
        ),
        (Box::new(|it| it.audience.extend([member])), "not for EVERYBODY", "is for EVERYBODY"),
        (
            Box::new(|it| it.asks_override.extend([Overridable::Freeze])),
            "ASKS customers to let it pass Freeze",
            "doesn't ask any more to pass Freeze",
        ),
    ];
    for (change, there, back) in changes {
        let mut after = before.clone();
        change(&mut after);
        for (was, is, words) in [(&before, &after, there), (&after, &before, back)] {
            let lines = changed_level(level(42), was, is, &Known::default());
            assert!(lines.len() == 1 && lines[0].contains(words), "{words}: {lines:?}");
        }
        assert!(changed_level(level(42), &after, &after, &Known::default()).is_empty());
    }
}
