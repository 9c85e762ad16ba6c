//! When a level that waits can start, and whether that is before the vendor's deadline.

use std::collections::BTreeSet;

use pdp_policies::gate::{Forecast, Verdict};
use pdp_policies::policy::Policy;
use pdp_policies::release::{Advisory, ReleaseKind, Severity};
use pdp_policies::{At, Level, ObstacleCode as Code, Span, Stop};

use crate::gate::Setting;
use crate::vendor::{KEY_OF_A_PERSON, NOW, release};

/// Level 42 alone, promoted a day ago, under a policy; it is Monday, 2026-11-23, 8 o'clock.
fn setting(policy: &str) -> Setting {
    let policy: Policy = pdp_policies::yaml::read(&policy.replace("KEY", KEY_OF_A_PERSON)).unwrap();
    Setting { policy, ..Setting::with_releases(|releases| *releases = vec![release(42)]) }
}

fn forecast(setting: &Setting) -> Forecast {
    match setting.verdict() {
        Verdict::WaitUntil(_, w) | Verdict::NeedsApproval(w) | Verdict::Held(w) => w.forecast,
        other => panic!("{other:?}"),
    }
}

const SATURDAYS: &str = "windows: [{name: w, kind: allow, cron: '0 22 * * 6', timeZone: UTC, length: 4h}]";
const APPROVAL: &str = "approval: {quorum: 1, approvers: ['KEY']}";

#[test]
fn one_obstacle_after_the_other_is_waited_for() {
    let freeze = |from: &str, until: &str| format!("freezes: [{{reason: r, from: {from}, until: {until}}}]");
    let pin = "pin: {to: {level: 40}, reason: r, expires: 2026-12-02T00:00:00Z}";
    for (policy, at, once) in [
        (SATURDAYS.to_owned(), Some("2026-11-28T22:00:00Z"), vec![]),
        // Ripe on Sunday, when the window is over.
        (format!("{SATURDAYS}\nminimumAge: {{age: 7d}}"), Some("2026-12-05T22:00:00Z"), vec![]),
        (
            format!("{SATURDAYS}\n{}", freeze("2026-11-28T00:00:00Z", "2026-12-10T00:00:00Z")),
            Some("2026-12-12T22:00:00Z"),
            vec![],
        ),
        (format!("{SATURDAYS}\n{pin}"), Some("2026-12-05T22:00:00Z"), vec![]),
        (APPROVAL.to_owned(), None, vec![Code::AwaitingApproval]),
        (format!("{APPROVAL}\n{SATURDAYS}"), Some("2026-11-28T22:00:00Z"), vec![Code::AwaitingApproval]),
        (format!("hold: {{reason: audit}}\n{SATURDAYS}"), Some("2026-11-28T22:00:00Z"), vec![Code::Frozen]),
    ] {
        let found = forecast(&setting(&policy));
        let wanted = at.map(|at| at.parse::<At>().unwrap());
        assert_eq!((found.at, found.not_within_a_year), (wanted, false), "{policy}");
        assert_eq!(found.once.into_iter().collect::<Vec<_>>(), once, "{policy}");
        assert_eq!(found.deadline, None, "it fixes nothing");
    }
}

#[test]
fn what_never_comes_is_said_so() {
    let never = "windows: [{name: w, kind: deny, cron: '0 0 * * *', timeZone: UTC, length: 1d}]";
    for policy in [never, "freezes: [{reason: r, from: 2026-01-01T00:00:00Z, until: 9999-12-31T23:59:59Z}]"] {
        let found = forecast(&setting(policy));
        assert!(found.at.is_none() && found.not_within_a_year, "{policy}: {found:?}");
    }
}

#[test]
fn a_ring_that_opens_later_and_the_brake_count_too() {
    let mut one = setting(SATURDAYS);
    let opens = At::from_unix(NOW + 6 * 86_400);
    one.channel.levels.get_mut(&Level(42)).unwrap().opens_at.insert(one.ring.clone(), opens);
    assert_eq!(forecast(&one).at, Some("2026-12-05T22:00:00Z".parse().unwrap()));
    one.channel.stop = Some(Stop { at: At::from_unix(NOW), reason: "stop".into() });
    assert!(forecast(&one).once.contains(&Code::Stopped));
}

#[test]
fn the_vendors_deadline_is_met_or_missed() {
    for (severity, days_ago, late) in [
        (Severity::Critical, 1, false),
        (Severity::Critical, 2, true),
        (Severity::High, 8, false),
        (Severity::High, 9, true),
        (Severity::Medium, 24, false),
        (Severity::Low, 25, true),
    ] {
        let confirmed_at = At::from_unix(NOW - days_ago * 86_400);
        let advisory = |severity, confirmed_at| Advisory {
            id: "CVE".into(),
            severity,
            known_exploited: false,
            introduced_in: None,
            cves: BTreeSet::new(),
            cvss: None,
            embargoed_until: None,
            confirmed_at,
            published_at: confirmed_at,
        };
        // What is due first counts, however many there are.
        let advisories = vec![advisory(Severity::Low, At::from_unix(NOW)), advisory(severity, confirmed_at)];
        let one = Setting {
            policy: setting(SATURDAYS).policy,
            ..Setting::with_releases(|releases| {
                *releases = vec![release(42)];
                releases[0].kind = ReleaseKind::Security;
                releases[0].advisories = advisories;
            })
        };
        let found = forecast(&one);
        let deadline = found.deadline.unwrap();
        assert_eq!((deadline.severity, deadline.at), (severity, confirmed_at.plus(severity.patience())));
        assert_eq!(
            (found.late, severity.patience() > Span::from_seconds(0)),
            (late, true),
            "{severity:?} {days_ago}"
        );
    }
}
