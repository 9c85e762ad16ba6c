#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

const DAY: i64 = 86_400;
const NOW: i64 = 1_800_000_000;

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

/// A level with what it fixes, as `id`, or `id@level that introduced it`.
fn level(level: u32, more: Value, fixes: &[&str]) -> (Release, Digest) {
    let at = |days: i64| At::from_unix(NOW + days * DAY).to_string();
    let advisory = |text: &&str| {
        let (id, first) = text
            .split_once('@')
            .map_or((*text, Value::Null), |(id, it)| (id, json!(it.parse::<u32>().unwrap())));
        let severity = if id.starts_with('C') { "critical" } else { "high" };
        json!({ "id": id, "severity": severity, "confirmedAt": at(-10), "publishedAt": at(-9), "introducedIn": first })
    };
    let mut value = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "line": "pdp-2026", "level": level, "version": "1", "kind": "update",
        "bundle": { "repository": "r.example/a", "digest": digest("b"), "size": 1 },
        "components": [], "advisories": fixes.iter().map(advisory).collect::<Vec<_>>(),
    });
    more.as_object().unwrap().iter().for_each(|(key, it)| value[key] = it.clone());
    (serde_json::from_value(value).unwrap(), digest(&level.to_string()))
}

fn channel(promoted: &[u32], withdrawn: &[u32]) -> Channel {
    let mut channel = Channel::new("pdp-2026".parse().unwrap(), pdp_policies::RingPlan::shipped().unwrap());
    for level in promoted {
        let promotion = json!({
            "sha256": digest(&level.to_string()).hex(), "length": 1, "promotedAt": At::from_unix(NOW), "tempo": "normal", "opensAt": {},
        });
        channel.levels.insert(Level(*level), serde_json::from_value(promotion).unwrap());
    }
    for level in withdrawn {
        let withdrawal = json!({ "reason": "bad", "at": At::from_unix(NOW) });
        channel.withdrawn.insert(Level(*level), serde_json::from_value(withdrawal).unwrap());
    }
    channel
}

fn plane(name: &str, level: u32) -> DataPlaneView {
    serde_json::from_value(json!({
        "organization": "acme", "dataPlane": name, "ring": "general", "ownRing": null, "enrolled": At::from_unix(0),
        "revoked": null, "seen": null, "heard": null, "target": null, "pdpSync": "1.0.0", "clusterId": null,
        "current": { "level": level, "sha256": digest(&level.to_string()).hex() },
    }))
    .unwrap()
}

fn ids(of: &[(Release, Digest)], at: u32) -> Vec<String> {
    let channel = channel(&[], &[]);
    Known::of(of, &channel).open_at(Level(at)).into_iter().collect()
}

#[test]
fn a_level_is_open_to_what_none_of_its_own_levels_fixes() {
    let hotfix = json!({ "kind": "hotfix", "base": 41 });
    let releases = [
        level(41, json!({}), &["A"]),
        level(42, hotfix, &["C-hot"]),
        level(43, json!({ "base": 41 }), &["B", "D@43"]),
        level(44, json!({ "base": 43, "supersedes": [42] }), &["D@43"]),
    ];
    assert_eq!(ids(&releases, 41), ["B", "C-hot"], "D came with 43");
    assert_eq!(ids(&releases, 42), ["B"], "the hotfix is on 41");
    assert_eq!(ids(&releases, 43), ["C-hot"], "43 isn't made of the hotfix");
    assert_eq!(ids(&releases, 44), [""; 0], "44 has it folded in");
}

#[test]
fn what_came_with_a_level_that_was_pruned_is_never_hidden() {
    let releases = [
        level(41, json!({}), &[]),
        level(42, json!({ "base": 41 }), &[]),
        level(43, json!({ "base": 42 }), &["P@40", "L@42"]),
    ];
    assert_eq!(ids(&releases, 41), ["P"]);
    assert_eq!(ids(&releases, 42), ["L", "P"]);
    let releases = [level(39, json!({}), &[]), level(43, json!({}), &["P@40"])];
    assert_eq!(ids(&releases, 39), [""; 0], "it was there before");
}

#[test]
fn what_helps_most_is_named_with_what_it_introduces() {
    let releases = [
        level(41, json!({}), &[]),
        level(42, json!({ "base": 41 }), &["C-1", "B-2"]),
        level(43, json!({ "base": 42 }), &["B-3"]),
        level(44, json!({ "base": 43 }), &["N@42"]),
    ];
    let all = channel(&[41, 42, 43], &[]);
    let known = Known::of(&releases, &all);
    let now = At::from_unix(NOW);
    let found = exposure(&known, &[plane("prod", 41)], None, now);
    let [old] = &found.exposed[..] else { unreachable!() };
    let open: Vec<_> = old.open.iter().map(|it| (it.id(), it.fixed_by, it.overdue)).collect();
    assert_eq!(
        open,
        [("C-1", Some(Level(42)), true), ("B-2", Some(Level(42)), false), ("B-3", Some(Level(43)), false)]
    );
    let best = old.best.as_ref().unwrap();
    assert_eq!(
        (best.level, best.fixes.len(), best.introduces.as_slice()),
        (Level(43), 3, &["N".to_owned()][..])
    );
    assert!(text(&found).contains("level 43 fixes 3; ! and opens it to N"));

    let withdrawn = channel(&[41, 42, 43], &[43]);
    let known = Known::of(&releases, &withdrawn);
    let found = exposure(&known, &[plane("prod", 41), plane("new", 44)], Some("B-3"), now).exposed;
    assert_eq!(found.len(), 1, "44 has it fixed");
    assert_eq!((found[0].open[0].fixed_by, found[0].best.as_ref().unwrap().level), (None, Level(42)));
}

#[test]
fn what_a_later_level_says_of_an_advisory_counts() {
    let mut releases = [
        level(41, json!({}), &[]),
        level(42, json!({ "base": 41 }), &["W"]),
        level(43, json!({ "base": 42 }), &["W"]),
    ];
    let later = &mut releases[2].0.advisories[0];
    later.severity = serde_json::from_value(json!("critical")).unwrap();
    later.cves.insert("CVE-2026-1000".parse().unwrap());
    later.known_exploited = true;
    let all = channel(&[41, 42, 43], &[]);
    let known = Known::of(&releases, &all);
    assert!(known.names("CVE-2026-1000") && known.names("W") && !known.names("CVE-2026-1001"));
    let found = exposure(&known, &[plane("prod", 41)], Some("CVE-2026-1000"), At::from_unix(NOW));
    let open = &found.exposed[0].open[0];
    // High would be due in four days.
    assert_eq!(
        (open.fixed_by, open.overdue, open.due),
        (Some(Level(42)), true, At::from_unix(NOW - 3 * DAY))
    );
    assert!(text(&found).contains("W (Critical, exploited in the wild; CVE-2026-1000)"), "{}", text(&found));
}

#[test]
fn whoever_runs_nothing_or_something_unknown_is_named_with_the_reason() {
    let releases = [level(41, json!({}), &[]), level(42, json!({ "base": 41 }), &["B"])];
    let all = channel(&[41, 42], &[]);
    let known = Known::of(&releases, &all);
    let (mut gone, mut none, mut forged) = (plane("gone", 41), plane("none", 41), plane("forged", 42));
    gone.revoked = Some(At::from_unix(0));
    none.current = None;
    forged.current.as_mut().unwrap().sha256 = digest("other");
    let planes = [gone, none, plane("strange", 40), forged, plane("new", 42)];
    let found = exposure(&known, &planes, None, At::from_unix(NOW));
    let told = serde_json::to_value(&found).unwrap();
    let unknown = "it reports level 40, which the catalog doesn't have in this line";
    let other = "it reports level 42 with another content than the catalog has in this line";
    assert_eq!(
        told,
        json!({ "exposed": [], "notJudged": [
            { "dataPlane": "acme/forged", "reason": other },
            { "dataPlane": "acme/none", "reason": "it hasn't reported a level" },
            { "dataPlane": "acme/strange", "reason": unknown },
        ] })
    );
    assert_eq!(found.exit(), exit::NOT_JUDGED);
    let words = text(&found);
    assert!(words.starts_with("◎ no data plane that can be judged") && words.contains(unknown), "{words}");
    assert_eq!(text(&Exposure::default()), "✔ no data plane is open to it");
    assert_eq!(Exposure::default().exit(), exit::DONE);
}

#[test]
fn a_deadline_that_is_over_says_more_than_somebody_who_is_not_judged() {
    let releases = [level(41, json!({}), &[]), level(42, json!({ "base": 41 }), &["B"])];
    let all = channel(&[41, 42], &[]);
    let known = Known::of(&releases, &all);
    let code = |planes: &[DataPlaneView], days: i64| {
        exposure(&known, planes, None, At::from_unix(NOW + days * DAY)).exit()
    };
    let (open, strange) = (plane("open", 41), plane("strange", 40));
    let (one, both) = ([open.clone()], [open, strange]);
    assert_eq!((code(&one, -9), code(&both, -9)), (exit::DONE, exit::NOT_JUDGED));
    assert_eq!((code(&one, 900), code(&both, 900)), (exit::NEGATIVE, exit::NEGATIVE));
}
