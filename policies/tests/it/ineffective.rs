//! What of a policy protects nothing, or can never be met: found where it is written, and nothing starts meanwhile.

use pdp_policies::policy::Policy;
use pdp_policies::{At, Level, ObstacleCode, Withdrawal};

use crate::gate::Setting;
use crate::vendor::{KEY_OF_A_PERSON as KEY, NOW};

fn policy(text: &str) -> Policy {
    pdp_policies::yaml::read(text).unwrap()
}

fn now() -> At {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn freeze(from: &str, until: &str) -> String {
    format!("freezes: [{{reason: close, from: {from}, until: {until}}}]")
}

fn pin(expires: &str) -> String {
    format!("pin: {{to: {{level: 41}}, reason: close, expires: {expires}}}")
}

/// A policy in one line, and how the problem begins; none where nothing is wrong.
#[test]
fn each_slip_is_named_with_its_field() {
    let window = |cron: &str, kind: &str, length: &str| {
        format!("{{name: {kind}-w, kind: {kind}, cron: '{cron}', timeZone: UTC, length: {length}}}")
    };
    let windows = |all: &[String]| format!("windows: [{}]", all.join(", "));
    let many = |count: usize| windows(&vec![window("0 2 * * *", "allow", "1h"); count]);
    for (text, wanted) in [
        ("{}".to_owned(), None),
        (freeze("2026-12-20T00:00:00Z", "2027-01-04T00:00:00Z"), None),
        (freeze("2026-12-20T00:00:00Z", "2026-12-20T00:00:01Z"), None),
        (freeze("2026-12-20T00:00:00Z", "9999-12-31T23:59:59Z"), None),
        (freeze("2026-12-20T00:00:00Z", "2026-12-20T00:00:00Z"), Some("freezes[0] ends")),
        (freeze("2026-12-20T00:00:00Z", "2026-01-04T00:00:00Z"), Some("freezes[0] ends")),
        (freeze("2027-01-04T00:00:00Z", "2026-12-20T00:00:00Z"), Some("freezes[0] ends")),
        (freeze("2025-12-20T00:00:00Z", "2026-01-04T00:00:00Z"), Some("freezes[0] is over already")),
        (pin("2026-11-23T12:00:01Z"), None),
        (pin("2026-11-23T12:00:00Z"), Some("pin ends")),
        (pin("2026-11-22T12:00:00Z"), Some("pin ends")),
        (windows(&[window("0 2 * * *", "allow", "2h")]), None),
        (windows(&[window("0 2 * * *", "allow", "0s")]), Some("windows: window `allow-w` has no length")),
        (windows(&[window("0 2 * * *", "allow", "400d")]), Some("windows: window `allow-w` has a length")),
        (windows(&[window("0 0 31 2 *", "allow", "2h")]), Some("windows: window `allow-w`")),
        (
            windows(&[window("0 2 * * *", "allow", "2h"), window("0 1 * * *", "deny", "4h")]),
            Some("windows never allow a start within a year"),
        ),
        (windows(&[window("0 0 * * *", "deny", "1d")]), Some("windows never allow a start within a year")),
        (windows(&[window("0 2 * * *", "allow", "2h"), window("0 1 * * *", "deny", "2h")]), None),
        (
            windows(&[window("0 2 * * *", "allow", "4m")]),
            Some("windows never allow a start within a year: none is open for the 5m"),
        ),
        (windows(&[window("0 2 * * *", "allow", "5m")]), None),
        (windows(&[window("*/2 * * * *", "allow", "2m")]), None),
        (many(100), None),
        (many(10_000), Some("windows lists 10000; at most 100 are read")),
        ("minimumAge: {age: 7d, severe: {atLeast: critical, age: 7d}}".to_owned(), None),
        ("minimumAge: {age: 0s}".to_owned(), Some("minimumAge.age is 0s")),
        ("minimumAge: {age: 400d}".to_owned(), Some("minimumAge.age of 400d")),
        (
            "minimumAge: {age: 1d, severe: {atLeast: critical, age: 7d}}".to_owned(),
            Some("minimumAge.severe.age of 7d is longer than 1d"),
        ),
        (format!("approval: {{quorum: 1, approvers: ['{KEY}']}}"), None),
        (format!("approval: {{quorum: 0, approvers: ['{KEY}']}}"), Some("approval: quorum 0")),
        (format!("approval: {{quorum: 2, approvers: ['{KEY}']}}"), Some("approval: quorum 2")),
        ("approval: {quorum: 1, approvers: [lind]}".to_owned(), Some("approval: approvers[0]")),
        ("after: [{dataPlane: staging, healthyFor: 1h}]".to_owned(), Some("after[0] names either")),
    ] {
        let found = policy(&text).ineffective(None, now());
        let shown: String = text.chars().take(120).collect();
        match wanted {
            None => assert_eq!(found, Vec::<String>::new(), "{shown}"),
            Some(words) => assert!(found.len() == 1 && found[0].starts_with(words), "{shown}: {found:?}"),
        }
    }
}

#[test]
fn what_was_seen_in_force_ends_by_itself() {
    let over = "2026-11-22T12:00:00Z";
    let (pinned, frozen) = (pin(over), freeze("2026-11-01T00:00:00Z", over));
    for (text, before, wrong) in [
        (&pinned, Some(pinned.as_str()), false),
        (&pinned, Some("pin: {to: {securityOnly: {}}, reason: r, expires: 2027-01-01T00:00:00Z}"), true),
        (&pinned, Some("pin: {to: {level: 41}, reason: r, expires: 2027-01-01T00:00:00Z}"), false),
        (&pinned, Some("{}"), true),
        (&pinned, None, true),
        (&frozen, Some(frozen.as_str()), false),
        // A person ended it before its time.
        (
            &frozen,
            Some("freezes: [{reason: r, from: 2026-11-01T00:00:00Z, until: 2027-01-01T00:00:00Z}]"),
            false,
        ),
        (
            &frozen,
            // The reason comes again each year.
            Some("freezes: [{reason: r, from: 2026-10-01T00:00:00Z, until: 2027-01-01T00:00:00Z}]"),
            true,
        ),
        (&frozen, Some("{}"), true),
        (&frozen, None, true),
    ] {
        let before = before.map(policy);
        let found = policy(text).ineffective(before.as_ref(), now());
        assert_eq!(!found.is_empty(), wrong, "{text} after {before:?}: {found:?}");
    }
}

/// A policy that is looser than the one before isn't kept in its place; what it holds was seen all the same.
#[test]
fn what_a_looser_policy_holds_was_seen_too() {
    let strict = policy(
        "hold: {reason: audit}\nfreezes: [{reason: r, from: 2026-01-01T00:00:00Z, until: 2026-02-01T00:00:00Z}]",
    );
    let text = format!(
        "{}\n{}",
        pin("2026-11-22T12:00:00Z"),
        freeze("2026-11-01T00:00:00Z", "2026-11-22T12:00:00Z")
    );
    let looser = policy(&text);
    assert!(looser.looser_than(&strict) && looser.ineffective(Some(&strict), now()).len() == 2);
    let kept = strict.stricter(&looser);
    assert_eq!((kept.hold.is_some(), kept.freezes.len()), (true, 2));
    assert_eq!(looser.ineffective(Some(&kept), now()), Vec::<String>::new());
    assert_eq!(kept.stricter(&looser), kept, "once is enough");
}

/// An edit that tightens one field and loosens another doesn't let the first one be loosened unseen later.
#[test]
fn the_stricter_of_two_policies_is_kept_field_by_field() {
    let before =
        policy("pin: {to: {level: 41}, reason: close, expires: 2027-01-31T00:00:00Z}\nminimumAge: {age: 1d}");
    let mixed = policy(
        "minimumAge: {age: 7d}\nwindows: [{name: w, kind: allow, cron: '0 2 * * *', timeZone: UTC, length: 2h}]\n\
         overrides: [{atLeast: critical, pass: [window]}]",
    );
    let kept = before.stricter(&mixed);
    assert_eq!((&kept.pin, &kept.overrides), (&before.pin, &vec![]));
    assert_eq!((&kept.minimum_age, &kept.windows), (&mixed.minimum_age, &mixed.windows));
    let without = Policy { minimum_age: None, ..mixed.clone() };
    let fields: Vec<_> = without.loosened(&kept).into_iter().map(|it| it.field).collect();
    assert_eq!(fields, ["pin", "overrides", "minimumAge"]);
    assert_eq!(mixed.loosened(&before).len(), 2, "windows that come new are no way round");
}

#[test]
fn a_slip_holds_every_level_until_it_is_put_right() {
    let swapped = policy(&freeze("2026-12-20T00:00:00Z", "2026-01-04T00:00:00Z"));
    let slip = Setting { policy: swapped, ..Setting::open() };
    assert_eq!(slip.obstacles(), [ObstacleCode::PolicyIneffective]);
    let late = policy(&pin("2026-01-31T00:00:00Z").replace("41", "40"));
    let new = Setting { policy: late.clone(), before: Some(Policy::default()), ..Setting::open() };
    assert_eq!(new.obstacles(), [ObstacleCode::PolicyIneffective]);
    assert_eq!(Setting { policy: late, ..Setting::open() }.starts(), Some(42), "one that was seen ended");
}

#[test]
fn a_pin_to_a_level_that_nobody_can_have_holds_and_says_so() {
    let pinned = |level: u32| {
        let expires = At::from_unix(NOW + 86_400);
        policy(&format!("pin: {{to: {{level: {level}}}, reason: r, expires: '{expires}'}}"))
    };
    for (level, wanted) in [
        (41, None),
        (42, None),
        // Installed, and in the channel no more.
        (40, None),
        (39, None),
        (43, Some("pin.to names level 43, which was never published in this line; the newest is 42")),
        (410, Some("pin.to names level 410, which was never published")),
    ] {
        let mut setting =
            Setting { policy: pinned(level), before: Some(Policy::default()), ..Setting::open() };
        setting.channel.pruned_through = Some(Level(39));
        let found = setting.details(ObstacleCode::PolicyIneffective);
        assert_eq!(
            found.first().map(|it| it.starts_with(wanted.unwrap_or("?"))),
            wanted.map(|_| true),
            "{found:?}"
        );
    }
    assert_eq!(
        Setting { policy: pinned(43), ..Setting::open() }.starts(),
        Some(42),
        "it was in force before"
    );
    let other = Setting { policy: pinned(410), before: Some(pinned(41)), ..Setting::open() };
    assert_eq!(other.obstacles(), [ObstacleCode::PolicyIneffective], "another one was");
    let mut setting = Setting { policy: pinned(41), ..Setting::open() };
    let withdrawal = Withdrawal { at: At::from_unix(NOW), reason: "leaks".into(), fixed_by: Some(Level(42)) };
    setting.channel.withdrawn.insert(Level(41), withdrawal);
    let found = setting.details(ObstacleCode::PolicyIneffective);
    assert_eq!(found, ["pin.to names level 41, which the vendor withdrew: leaks; level 42 fixes it"]);
    setting.installed = Some(Level(41));
    assert_eq!(setting.obstacles(), [ObstacleCode::Pinned], "it runs here already");
}

#[test]
fn own_images_are_names_and_a_further_one_is_looser() {
    let none = Policy::default();
    let one = policy("ownImages: [registry.bank.example/sidecar]");
    let two = policy("ownImages: [registry.bank.example/sidecar, proxy]");
    assert!(one.ineffective(None, now()).is_empty() && one.looser_than(&none) && two.looser_than(&one));
    assert!(!one.looser_than(&two) && !one.looser_than(&one));
    for bad in ["registry.bank.example/sidecar:1", "'*'", "https://a.example/b", "''"] {
        assert!(pdp_policies::yaml::read::<Policy>(&format!("ownImages: [{bad}]")).is_err(), "{bad}");
    }
    let images: Vec<_> = (0..65).map(|n| format!("a.example/i{n}")).collect();
    assert!(policy(&format!("ownImages: [{}]", images[1..].join(", "))).ineffective(None, now()).is_empty());
    let many = policy(&format!("ownImages: [{}]", images.join(", ")));
    assert!(
        many.ineffective(None, now())[0].starts_with("ownImages lists 65"),
        "{:?}",
        many.ineffective(None, now())
    );
}
