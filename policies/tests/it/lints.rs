//! Policies that work as written and leave too little time, or time that comes too late.

use pdp_policies::policy::Policy;

fn lints(yaml: &str) -> Vec<String> {
    let policy: Policy = pdp_policies::yaml::read(yaml).unwrap();
    policy.lints("2026-11-23T08:00:00Z".parse().unwrap())
}

fn window(kind: &str, cron: &str, length: &str) -> String {
    format!("{{name: w, kind: {kind}, cron: '{cron}', timeZone: UTC, length: {length}}}")
}

#[test]
fn less_than_two_days_in_a_month_are_told() {
    for (cron, length, hours) in [
        ("0 22 * * 6", "4h", Some(16)),
        ("0 22 * * 6#1", "4h", Some(4)),
        ("0 0 * * 6", "12h", None),
        ("0 22 * * *", "2h", None),
    ] {
        let found = lints(&format!("windows: [{}]", window("allow", cron, length)));
        let told = hours.map(|hours| format!("for {hours} h in the next 32 days"));
        assert_eq!(found.iter().any(|it| it.contains("next 32 days")), told.is_some(), "{cron}: {found:?}");
        assert!(told.is_none_or(|told| found[0].contains(&told)), "{cron}: {found:?}");
    }
    assert_eq!(lints("{}"), [""; 0]);
}

#[test]
fn a_gap_that_is_longer_than_a_deadline_is_told_with_the_severity_that_it_is_too_long_for() {
    let freeze =
        |until: &str| format!("freezes: [{{reason: r, from: 2026-12-20T00:00:00Z, until: {until}}}]");
    for (policy, severity) in [
        (freeze("2026-12-26T00:00:00Z"), None),
        (freeze("2026-12-28T00:00:00Z"), Some("critical")),
        (freeze("9999-12-31T23:59:59Z"), Some("critical")),
        (format!("windows: [{}]", window("allow", "0 0 * * 6#1", "2d")), Some("critical")),
        (format!("windows: [{}]", window("allow", "0 0 * * 6", "2d")), None),
        // What may pass the freeze is no prisoner of it.
        (
            format!("{}\noverrides: [{{atLeast: critical, pass: [freeze]}}]", freeze("2027-01-04T00:00:00Z")),
            Some("high"),
        ),
        (format!("{}\noverrides: [{{atLeast: high, pass: [freeze]}}]", freeze("2027-01-04T00:00:00Z")), None),
        (
            format!(
                "{}\noverrides: [{{atLeast: high, knownExploited: true, pass: [freeze]}}]",
                freeze("2026-12-28T00:00:00Z")
            ),
            Some("critical"),
        ),
    ] {
        let found: Vec<_> =
            lints(&policy).into_iter().filter(|it| it.contains("nothing may start")).collect();
        let told = severity.map(|severity| format!("of severity {severity} is due"));
        assert_eq!(found.len(), usize::from(told.is_some()), "{policy}: {found:?}");
        assert!(told.is_none_or(|told| found[0].contains(&told)), "{policy}: {found:?}");
    }
}
