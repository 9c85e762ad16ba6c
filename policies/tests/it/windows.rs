//! Windows in the nights when clocks change, and windows that never open.

use pdp_policies::At;
use pdp_policies::gate::{WindowState, window_state};
use pdp_policies::policy::Window;

fn window(cron: &str, zone: &str, kind: &str, length: &str) -> Window {
    let yaml = format!("{{name: w, kind: {kind}, cron: '{cron}', timeZone: {zone}, length: {length}}}");
    pdp_policies::yaml::read(&yaml).unwrap()
}

fn state(windows: &[Window], at: &str) -> WindowState {
    window_state(windows, at.parse().unwrap())
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
        ("2027-10-31T02:29:59Z", true),
        ("2027-10-31T02:30:00Z", false),
    ] {
        assert_eq!(state(&night, at) == WindowState::Open, open, "{at}");
    }
}

#[test]
fn deny_beats_allow_and_the_next_opening_is_named() {
    let windows = [window("0 0 * * *", "UTC", "allow", "24h"), window("0 8 * * *", "UTC", "deny", "2h")];
    let WindowState::Closed { next, .. } = state(&windows, "2026-11-23T09:00:00Z") else { panic!() };
    assert_eq!(next, Some("2026-11-23T10:00:00Z".parse::<At>().unwrap()));
}

#[test]
fn what_can_not_be_read_closes_and_is_found_beforehand() {
    let now = "2026-11-23T08:00:00Z".parse().unwrap();
    for (cron, zone, length) in [
        ("0 0 31 2 *", "UTC", "1h"),
        ("0 0 * * *", "Mars/Olympus", "1h"),
        ("0 0 0 * * *", "UTC", "1h"),
        ("0 0 * * *", "UTC", "0s"),
    ] {
        assert!(window(cron, zone, "allow", length).check(now).is_err(), "{cron} {zone} {length}");
    }
    let broken = [window("0 0 * * *", "Mars/Olympus", "allow", "1h")];
    assert!(matches!(state(&broken, "2026-11-23T08:00:00Z"), WindowState::Closed { next: None, .. }));
}
