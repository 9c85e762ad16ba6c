//! Windows in the nights when clocks change, and windows that never open.

use pdp_policies::gate::{WindowState, window_state};
use pdp_policies::policy::Window;
use pdp_policies::{At, Span};

fn window(cron: &str, zone: &str, kind: &str, length: &str) -> Window {
    let yaml = format!("{{name: w, kind: {kind}, cron: '{cron}', timeZone: {zone}, length: {length}}}");
    pdp_policies::yaml::read(&yaml).unwrap()
}

fn state(windows: &[Window], at: &str) -> WindowState {
    window_state(windows, Span::default(), at.parse().unwrap())
}

#[test]
fn spring_and_autumn_in_berlin() {
    let night = [window("30 2 * * *", "Europe/Berlin", "allow", "2h")];
    // In the spring gap 02:30 doesn't exist; it begins at 03:00 summer time (01:00 UTC).
    for (at, open) in [
        ("2027-03-28T00:59:59Z", false),
        ("2027-03-28T01:00:00Z", true),
        ("2027-03-28T02:59:59Z", true),
        ("2027-03-28T03:00:00Z", false),
    ] {
        assert_eq!(state(&night, at) == WindowState::Open, open, "{at}");
    }
    // In autumn 02:30 happens twice; it begins once, and lasts two elapsed hours.
    for (at, open) in [
        ("2027-10-31T00:29:59Z", false),
        ("2027-10-31T00:30:00Z", true),
        // 02:10 for the second time: it began 40 minutes ago.
        ("2027-10-31T01:10:00Z", true),
        ("2027-10-31T01:30:00Z", true),
        ("2027-10-31T02:29:59Z", true),
        ("2027-10-31T02:30:00Z", false),
    ] {
        assert_eq!(state(&night, at) == WindowState::Open, open, "{at}");
    }
}

#[test]
fn in_a_doubled_hour_what_began_the_first_time_does_not_begin_again() {
    let next = |cron: &str, now: &str| {
        let window = window(cron, "Europe/Berlin", "allow", "10m");
        window.beginnings(now.parse().unwrap()).unwrap().next().unwrap().to_string()
    };
    for (cron, now, wanted) in [
        ("30 2 * * *", "2027-10-31T00:10:00Z", "2027-10-31T00:30:00Z"),
        ("30 2 * * *", "2027-10-31T01:10:00Z", "2027-11-01T01:30:00Z"),
        ("30 2,14 * * *", "2027-10-31T01:10:00Z", "2027-10-31T13:30:00Z"),
        ("*/15 * * * *", "2027-10-31T01:10:00Z", "2027-10-31T02:00:00Z"),
    ] {
        assert_eq!(next(cron, now), wanted, "{cron} after {now}");
    }
}

#[test]
fn deny_beats_allow_and_the_next_opening_is_named() {
    let windows = [window("0 0 * * *", "UTC", "allow", "24h"), window("0 8 * * *", "UTC", "deny", "2h")];
    let WindowState::Closed { next, .. } = state(&windows, "2026-11-23T09:00:00Z") else { panic!() };
    assert_eq!(next, Some("2026-11-23T10:00:00Z".parse::<At>().unwrap()));
}

#[test]
fn an_opening_after_days_that_are_denied_hour_by_hour_is_found() {
    for (deny, length, next) in [
        ("0 0 23 * *", "9d", Some("2026-12-02T00:00:00Z")),
        // Each hour's five minutes are denied.
        ("0 * * * *", "50m", None),
        ("0 * * * *", "1h", None),
        ("* * * * *", "2m", None),
    ] {
        let windows = [window("0 * * * *", "UTC", "allow", "5m"), window(deny, "UTC", "deny", length)];
        let WindowState::Closed { next: found, .. } = state(&windows, "2026-11-23T09:55:00Z") else {
            panic!("{deny} {length}")
        };
        assert_eq!(found, next.map(|at: &str| at.parse::<At>().unwrap()), "{deny} {length}");
    }
}

#[test]
fn what_can_not_be_read_closes_and_is_found_beforehand() {
    let now = "2026-11-23T08:00:00Z".parse().unwrap();
    let long = format!("0 0 {} * *", "1,".repeat(100));
    for (cron, zone, length, words) in [
        ("0 0 31 2 *", "UTC", "1h", "31 2"),
        ("0 0 * * *", "Mars/Olympus", "1h", "not an IANA time zone"),
        ("0 0 0 * * *", "UTC", "1h", "write five"),
        ("0 0 * *", "UTC", "1h", "write five"),
        ("@daily", "UTC", "1h", "write five"),
        ("0 0 * * *", "UTC", "0s", "no length"),
        ("0 0 * * *", "UTC", "367d", "a freeze or a hold"),
        ("0 0 * * SAT", "UTC", "1h", "write numbers"),
        ("0 0 * JAN *", "UTC", "1h", "write numbers"),
        ("0 0 * * L", "UTC", "1h", "write `5L`"),
        ("0 0 1-7 * 6", "UTC", "1h", "`* 6#1`"),
        ("0 0 15-21 * 2", "UTC", "1h", "`* 2#3`"),
        ("0 0 13 * 5", "UTC", "1h", "opens on either"),
        ("0 0 */2 * 1", "UTC", "1h", "opens on either"),
        ("99 0 * * *", "UTC", "1h", "cron"),
        (&long, "UTC", "1h", "more than 200 bytes"),
    ] {
        let refused = window(cron, zone, "allow", length).check(now).unwrap_err();
        assert!(refused.contains(words), "{cron} {zone} {length}: {refused}");
    }
    for cron in ["0 0 * * 6#1", "0 22 L * *", "30 2 * * 5L", "0 0 1,15 * *", "*/30 1-3 * 1-6 1-5"] {
        assert_eq!(window(cron, "Europe/Berlin", "allow", "366d").check(now), Ok(()), "{cron}");
    }
    let broken = [window("0 0 * * *", "Mars/Olympus", "allow", "1h")];
    assert!(matches!(state(&broken, "2026-11-23T08:00:00Z"), WindowState::Closed { next: None, .. }));
}

#[test]
fn a_window_is_said_in_words_with_its_next_beginnings_here_and_in_utc() {
    let now = "2026-10-20T08:00:00Z".parse().unwrap();
    for (cron, kind, rule, next) in [
        (
            "30 2 * * 0",
            "allow",
            "starts are allowed at 02:30, on Sunday, for 2h (Europe/Berlin)",
            [
                ("2026-10-25T00:30:00Z", "2026-10-25 02:30 +02:00"),
                ("2026-11-01T01:30:00Z", "2026-11-01 02:30 +01:00"),
            ],
        ),
        (
            "0 22 * * 6#1",
            "deny",
            "starts are forbidden at 22:00, on the 1st Saturday of the month, for 2h (Europe/Berlin)",
            [
                ("2026-11-07T21:00:00Z", "2026-11-07 22:00 +01:00"),
                ("2026-12-05T21:00:00Z", "2026-12-05 22:00 +01:00"),
            ],
        ),
    ] {
        let told = window(cron, "Europe/Berlin", kind, "2h").words(now);
        let found: Vec<_> = told.next.iter().map(|it| (it.at.to_string(), it.local.as_str())).collect();
        let next = next.map(|(at, local)| (at.to_owned(), local));
        assert_eq!((told.rule.as_str(), &found[..2], found.len()), (rule, &next[..], 5));
        let text = told.to_string();
        assert!(
            text.starts_with(&format!("window `w`: {rule}\n  {} ({})\n", next[0].1, next[0].0)),
            "{text}"
        );
    }
    let broken = window("0 0 1-7 * 6", "UTC", "allow", "2h").words(now);
    assert!(broken.next.is_empty() && broken.to_string().contains("`* 6#1`"), "{broken}");
}
