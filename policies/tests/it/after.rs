//! A data plane that goes first: whose report counts, and when it is enough.

use pdp_policies::gate::Other;
use pdp_policies::policy::{After, Policy};
use pdp_policies::report::{CatalogVersions, LevelDigest, Report};
use pdp_policies::{API_VERSION, At, Digest, HandedReport, Level, ObstacleCode, dsse, trust};
use serde_json::json;
use sigstore_types::DerPublicKey;

use crate::gate::Setting;
use crate::vendor::{Key, NOW, now, release};

const HOUR: i64 = 3600;

/// What becomes of staging's report.
type Edit = fn(&mut Report);

fn ago(hours: i64) -> At {
    At::from_unix(NOW - hours * HOUR)
}

/// What staging says: at level 42, healthy for 30 hours.
fn report() -> Report {
    let sha256 = setting(Policy::default()).channel.levels[&Level(42)].sha256;
    Report {
        api_version: API_VERSION.to_owned(),
        critical: vec![],
        issued: ago(1),
        expires: ago(-23),
        organization: "acme".parse().unwrap(),
        data_plane: "staging".parse().unwrap(),
        cluster_id: None,
        current: Some(LevelDigest { level: Level(42), sha256 }),
        healthy_since: Some(ago(31)),
        target: None,
        catalog: CatalogVersions::default(),
        pdp_sync: "0.1.0".to_owned(),
    }
}

fn handed(report: &Report, key: &Key) -> Vec<u8> {
    let envelope = String::from_utf8(key.seal(dsse::REPORT, report)).unwrap();
    serde_json::to_vec(&HandedReport { public_key: key.pem.clone(), envelope }).unwrap()
}

fn der(key: &Key) -> Vec<u8> {
    DerPublicKey::from_pem(&key.pem).unwrap().as_bytes().to_vec()
}

fn after(key: &Key) -> After {
    serde_json::from_value(json!({
        "dataPlane": "staging", "fingerprint": Digest::of(&der(key)).to_string(), "healthyFor": "24h",
    }))
    .unwrap()
}

fn setting(policy: Policy) -> Setting {
    Setting { policy, ..Setting::with_releases(|releases| *releases = vec![release(42)]) }
}

/// What is in the way once this was heard of staging.
fn waits(after: &After, heard: Option<Result<Vec<u8>, String>>) -> Vec<String> {
    heard_of(after, heard).details(ObstacleCode::AfterOther)
}

fn heard_of(after: &After, heard: Option<Result<Vec<u8>, String>>) -> Setting {
    let organization = "acme".parse().unwrap();
    let judge = |bytes: Vec<u8>| {
        trust::handed_report(&bytes, after, &organization, now()).map_err(|refusal| refusal.to_string())
    };
    let other =
        heard.map(|heard| Other { data_plane: "staging".parse().unwrap(), heard: heard.and_then(judge) });
    let mut setting = setting(Policy { after: vec![after.clone()], ..Policy::default() });
    setting.others = other.into_iter().collect();
    setting
}

/// Who is healthy is taken to stay so: the forecast says when, and nobody asks each second for news that isn't there.
#[test]
fn a_forecast_plays_a_report_forward_and_a_late_one_is_waited_for() {
    let key = Key::new();
    let after = after(&key);
    let mut young = report();
    young.healthy_since = Some(ago(2));
    let setting = heard_of(&after, Some(Ok(handed(&young, &key))));
    let waiting = setting.waiting();
    let ripe = ago(2 - 24);
    assert_eq!(waiting.obstacles.iter().map(|it| it.next).collect::<Vec<_>>(), [Some(ripe)]);
    assert_eq!((waiting.forecast.at, waiting.forecast.not_within_a_year), (Some(ripe), false));
    // A day later its word of yesterday is still the last one.
    let mut late = report();
    (late.issued, late.healthy_since) = (ago(30), Some(ago(31)));
    let waiting = heard_of(&after, Some(Ok(handed(&late, &key)))).waiting();
    assert_eq!(waiting.obstacles[0].next, None);
    assert!(waiting.obstacles[0].detail.contains("a newer one has to say so"), "{waiting:?}");
    assert!(!waiting.forecast.not_within_a_year && waiting.forecast.once.contains(&ObstacleCode::AfterOther));
}

#[test]
fn what_staging_says_is_enough_or_says_what_is_missing() {
    let key = Key::new();
    let after = after(&key);
    let none: &[&str] = &[];
    let edits: [(Edit, &[&str]); 8] = [
        (|_| (), none),
        (|it| it.healthy_since = Some(ago(25)), none),
        (
            |it| it.healthy_since = Some(ago(24)),
            &["healthy on it since 2026-11-22T08:00:00Z, and has to be for 1d"],
        ),
        (|it| it.healthy_since = None, &["runs it, and isn't healthy"]),
        (|it| it.current = None, &["it runs nothing"]),
        (|it| it.current.as_mut().unwrap().sha256 = Digest::of(b"other"), &["it runs level 42"]),
        // Past its expiry for the server, and still true; only what is very old says nothing.
        (|it| (it.issued, it.expires, it.healthy_since) = (ago(160), ago(136), Some(ago(200))), none),
        (|it| (it.issued, it.healthy_since) = (ago(169), Some(ago(200))), &["more than 7d ago"]),
    ];
    for (edit, wanted) in edits {
        let mut report = report();
        edit(&mut report);
        let found = waits(&after, Some(Ok(handed(&report, &key))));
        assert_eq!(found.len(), wanted.len(), "{wanted:?}: {found:?}");
        assert!(wanted.iter().all(|words| found[0].contains(words)), "{wanted:?}: {found:?}");
    }
    assert!(waits(&after, None)[0].contains("no report of it is at hand: the channel server hands it out"));
    assert!(waits(&after, Some(Err("Unreachable".into())))[0].contains("doesn't count: Unreachable"));
}

#[test]
fn a_report_of_somebody_else_counts_for_nothing() {
    let (key, stranger) = (Key::new(), Key::new());
    let after = after(&key);
    let edited = |edit: fn(&mut Report)| {
        let mut report = report();
        edit(&mut report);
        handed(&report, &key)
    };
    let swapped = {
        let mut handed: HandedReport = serde_json::from_slice(&handed(&report(), &stranger)).unwrap();
        handed.public_key = key.pem.clone();
        serde_json::to_vec(&handed).unwrap()
    };
    for (bytes, words) in [
        (handed(&report(), &stranger), "isn't the one that the policy names"),
        (swapped, "SignatureThreshold"),
        (edited(|it| it.organization = "evil".parse().unwrap()), "another data plane's"),
        (edited(|it| it.data_plane = "dev".parse().unwrap()), "another data plane's"),
        (edited(|it| it.issued = ago(-1)), "ClockSkew"),
        (b"{}".to_vec(), "Unreadable"),
        (vec![b' '; trust::MAX_HANDED_REPORT_BYTES + 1], "TooLarge"),
    ] {
        let found = waits(&after, Some(Ok(bytes)));
        assert!(found.len() == 1 && found[0].contains(words), "{words}: {found:?}");
    }
}

#[test]
fn a_key_may_be_named_whole_and_one_that_nobody_can_have_is_a_slip() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let key = Key::new();
    let whole = After { key: Some(STANDARD.encode(der(&key))), fingerprint: None, ..after(&key) };
    assert_eq!(waits(&whole, Some(Ok(handed(&report(), &key)))), Vec::<String>::new());
    let both = After { fingerprint: Some(Digest::of(b"k")), ..whole.clone() };
    let neither = After { key: None, ..whole.clone() };
    let garbage = After { key: Some("%".into()), ..whole.clone() };
    let itself = After { data_plane: "prod".parse().unwrap(), ..whole };
    for (after, words) in [
        (both, "after[0] names either"),
        (neither, "after[0] names either"),
        (garbage, "after[0] key isn't base64"),
        (itself, "after[0] names this data plane"),
    ] {
        let setting = setting(Policy { after: vec![after], ..Policy::default() });
        let found = setting.details(ObstacleCode::PolicyIneffective);
        assert!(found.len() == 1 && found[0].starts_with(words), "{words}: {found:?}");
    }
}
