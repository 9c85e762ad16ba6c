//! The words of each obstacle, once for status, conditions, `plan` and `why`: the text of each code as the gate says it.

use std::collections::BTreeSet;

use pdp_policies::gate::Verdict;
use pdp_policies::policy::Policy;
use pdp_policies::{At, Level, Obstacle, ObstacleCode as Code, Percent, Stop, Withdrawal};

use crate::door;
use crate::gate::Setting;
use crate::vendor::{KEY_OF_A_PERSON, NOW, now, release};

/// What the target finds, not the gate; `pdp-sync` has their texts.
const FOUND: [Code; 6] = [
    Code::ComponentSuspended,
    Code::HeldByEdit,
    Code::CustomerValuesInvalid,
    Code::ForeignOwner,
    Code::ForeignImage,
    Code::ImageMissing,
];

/// Level 42 alone, under a policy.
fn setting(policy: &str) -> Setting {
    let policy: Policy = pdp_policies::yaml::read(&policy.replace("KEY", KEY_OF_A_PERSON)).unwrap();
    Setting { policy, ..Setting::with_releases(|releases| *releases = vec![release(42)]) }
}

fn changed(edit: impl FnOnce(&mut Setting)) -> Setting {
    let mut setting = setting("{}");
    edit(&mut setting);
    setting
}

fn promotion(setting: &mut Setting) -> &mut pdp_policies::Promotion {
    setting.channel.levels.get_mut(&Level(42)).unwrap()
}

/// What the customer's instruments say.
fn of_the_customer() -> Vec<Setting> {
    let freeze =
        |from: &str| format!("freezes: [{{reason: year end, from: {from}, until: 2027-01-04T00:00:00Z}}]");
    let window = |kind: &str, cron: &str| {
        format!(
            "windows: [{{name: night, kind: {kind}, cron: '{cron}', timeZone: Europe/Berlin, length: 4h}}]"
        )
    };
    let after = "after: [{dataPlane: staging, healthyFor: 24h, fingerprint: 'sha256:0000000000000000000000000000000000000000000000000000000000000000'}]";
    let texts = [
        "pin: {to: {level: 41}, reason: quarter-end close, expires: 2027-01-31T00:00:00Z}".to_owned(),
        "pin: {to: {securityOnly: {}}, reason: quarter-end close, expires: 2027-01-31T00:00:00Z}".to_owned(),
        "hold: {reason: audit}".to_owned(),
        freeze("2026-11-20T00:00:00Z"),
        freeze("2026-11-23T08:02:00Z"),
        window("allow", "0 22 * * 6"),
        // It ends within two minutes, and begins within two.
        window("allow", "2 5 * * 1"),
        window("deny", "2 9 * * 1"),
        window("deny", "0 8 * * 1"),
        "minimumAge: {age: 7d}".to_owned(),
        "approval: {quorum: 1, approvers: ['KEY']}".to_owned(),
        "approval: {groups: [{name: security, quorum: 1, approvers: ['KEY']}]}".to_owned(),
        after.to_owned(),
        "freezes: [{reason: slip, from: 2027-01-04T00:00:00Z, until: 2026-12-20T00:00:00Z}]".to_owned(),
    ];
    texts.iter().map(|text| setting(text)).collect()
}

/// What the vendor's documents say.
fn of_the_vendor() -> Vec<Setting> {
    let ring = Setting::open().ring;
    vec![
        changed(|it| {
            let opens = At::from_unix(NOW + 86_400);
            promotion(it).opens_at.insert(ring.clone(), opens);
        }),
        changed(|it| {
            promotion(it).open_to.insert(ring.clone(), Percent::try_from(0).unwrap());
        }),
        changed(|it| {
            let reason = "crashes under load".into();
            it.channel
                .withdrawn
                .insert(Level(42), Withdrawal { at: now(), reason, fixed_by: Some(Level(43)) });
        }),
        changed(|it| it.channel.stop = Some(Stop { at: now(), reason: "being investigated".into() })),
        changed(|it| it.quarantined = it.channel.levels.values().map(|p| (p.sha256, 1)).collect()),
        changed(|it| it.at = At::from_unix(NOW + 8 * 86_400)),
        Setting::with_releases(|releases| {
            *releases = vec![release(42)];
            releases[0].requires.pdp_sync = Some(">=9".parse().unwrap());
        }),
        Setting {
            kubernetes: Some("v1.30.4-gke.1829001".parse().unwrap()),
            ..Setting::with_releases(|releases| {
                *releases = vec![release(42)];
                releases[0].requires.kubernetes = Some(">=1.33".parse().unwrap());
            })
        },
        {
            let mut setting = Setting::open();
            setting.channel.required_stops.insert(Level(41));
            promotion(&mut setting);
            setting.policy = pdp_policies::yaml::read("hold: {reason: audit}").unwrap();
            setting
        },
    ]
}

#[test]
fn each_obstacle_has_its_text() {
    let waiting = of_the_customer().into_iter().chain(of_the_vendor()).map(|setting| setting.waiting());
    let by_server = door::words().into_iter().map(|verdict| match verdict {
        Verdict::NeedsGrant(w) | Verdict::Held(w) | Verdict::WaitUntil(_, w) | Verdict::NeedsApproval(w) => w,
        other => panic!("{other:?}"),
    });
    let all: Vec<Obstacle> = waiting.chain(by_server).flat_map(|waiting| waiting.obstacles).collect();
    let said: BTreeSet<_> = all.iter().map(|obstacle| obstacle.code.as_str()).collect();
    let schema = serde_json::to_value(schemars::schema_for!(Code)).unwrap();
    let codes = schema["oneOf"].as_array().unwrap().iter().map(|it| it["const"].as_str().unwrap());
    let found = FOUND.map(Code::as_str);
    let missing: Vec<_> = codes.filter(|code| !said.contains(code) && !found.contains(code)).collect();
    assert_eq!(missing, [""; 0], "a code without a text");
    let texts: Vec<_> = all.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(texts.join("\n"));
}
