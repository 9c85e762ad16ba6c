//! A level isn't begun where a window or a freeze would cut into it.

use pdp_policies::gate::WindowState;
use pdp_policies::policy::Policy;
use pdp_policies::{At, ObstacleCode as Code, Span};

use crate::gate::Setting;
use crate::vendor::release;

const SATURDAYS: &str = "{name: sat, kind: allow, cron: '0 22 * * 6', timeZone: UTC, length: 4h}";
const BACKUP: &str = "{name: backup, kind: deny, cron: '30 23 * * 6', timeZone: UTC, length: 30m}";
const DAYS: &str = "{name: days, kind: allow, cron: '0 0 * * *', timeZone: UTC, length: 1d}";

fn minutes(minutes: u32) -> Span {
    Span::from_seconds(minutes * 60)
}

/// Level 42 alone, of a declared and a learned length.
fn setting(policy: &str, at: &str, declared: Option<u32>, usual: Option<u32>) -> Setting {
    let policy: Policy = pdp_policies::yaml::read(policy).unwrap();
    let (at, usual_length) = (at.parse().unwrap(), usual.map(minutes));
    let of = |releases: &mut Vec<_>| {
        *releases = vec![release(42)];
        releases[0].usual_length = declared.map(minutes);
    };
    Setting { policy, at, usual_length, ..Setting::with_releases(of) }
}

/// The first obstacle's detail and end, none if it starts.
fn waits(setting: &Setting) -> Option<(Code, String, Option<At>)> {
    if setting.starts() == Some(42) {
        return None;
    }
    let waiting = setting.waiting();
    let first = waiting.obstacles[0].clone();
    Some((first.code, first.detail, first.next))
}

#[test]
fn a_start_that_would_run_over_the_end_of_a_window_waits_for_the_next_one() {
    let saturdays = format!("windows: [{SATURDAYS}]");
    let next = "2026-12-05T22:00:00Z";
    for (at, declared, usual, starts) in [
        ("2026-11-28T22:00:00Z", Some(240), None, true),
        ("2026-11-28T22:00:01Z", Some(240), None, false),
        ("2026-11-29T01:20:00Z", Some(40), None, true),
        ("2026-11-29T01:21:00Z", Some(40), None, false),
        // What was learnt here says more than what the vendor declares, in both directions.
        ("2026-11-29T01:21:00Z", Some(40), Some(30), true),
        ("2026-11-29T01:21:00Z", None, Some(40), false),
        // Without either, some minutes are needed all the same.
        ("2026-11-29T01:55:00Z", None, None, true),
        ("2026-11-29T01:55:01Z", None, None, false),
        ("2026-11-29T01:55:01Z", Some(1), Some(1), false),
    ] {
        let found = waits(&setting(&saturdays, at, declared, usual));
        assert_eq!(found.is_none(), starts, "{at} {declared:?} {usual:?}: {found:?}");
        if let Some((code, detail, until)) = found {
            assert_eq!((code, until), (Code::OutsideWindow, Some(next.parse().unwrap())));
            assert!(detail.contains("the window ends at 2026-11-29T02:00:00Z"), "{detail}");
        }
    }
}

#[test]
fn windows_one_after_the_other_are_one_and_a_window_that_forbids_ends_it() {
    let days = format!("windows: [{DAYS}]");
    assert_eq!(waits(&setting(&days, "2026-11-28T23:50:00Z", Some(600), None)), None);
    let both = format!("windows: [{SATURDAYS}, {BACKUP}]");
    assert_eq!(waits(&setting(&both, "2026-11-28T22:30:00Z", Some(60), None)), None);
    let (_, detail, next) = waits(&setting(&both, "2026-11-28T22:31:00Z", Some(60), None)).unwrap();
    assert!(detail.contains("`backup` begins at 2026-11-28T23:30:00Z"), "{detail}");
    assert_eq!(next, Some("2026-11-29T00:00:00Z".parse().unwrap()), "after it, the rest is long enough");
    let (_, _, next) = waits(&setting(&both, "2026-11-28T22:31:00Z", Some(130), None)).unwrap();
    assert_eq!(next, None, "no rest is long enough, on no Saturday");
}

#[test]
fn a_window_that_is_too_short_for_a_level_says_so() {
    let found = waits(&setting(&format!("windows: [{SATURDAYS}]"), "2026-11-28T22:00:00Z", Some(300), None));
    let (code, detail, next) = found.unwrap();
    assert_eq!((code, next), (Code::OutsideWindow, None));
    assert!(detail.contains("no window within a year is long enough"), "{detail}");
}

#[test]
fn a_freeze_that_begins_before_a_level_is_done_holds_it() {
    let freeze = "freezes: [{reason: year end, from: 2026-11-27T00:00:00Z, until: 2027-01-04T00:00:00Z}]";
    assert_eq!(waits(&setting(freeze, "2026-11-26T23:20:00Z", Some(40), None)), None);
    let (code, detail, until) = waits(&setting(freeze, "2026-11-26T23:20:01Z", Some(40), None)).unwrap();
    assert_eq!((code, until), (Code::Frozen, Some("2027-01-04T00:00:00Z".parse().unwrap())));
    assert!(detail.contains("frozen from 2026-11-27T00:00:00Z, and a level takes about 40m"), "{detail}");
}

#[test]
fn without_a_length_a_window_is_open_to_its_last_second() {
    let policy: Policy = pdp_policies::yaml::read(&format!("windows: [{SATURDAYS}]")).unwrap();
    let state =
        |needed, at: &str| pdp_policies::gate::window_state(&policy.windows, needed, at.parse().unwrap());
    assert_eq!(state(Span::default(), "2026-11-29T01:59:59Z"), WindowState::Open);
    assert_ne!(state(Span::from_seconds(2), "2026-11-29T01:59:59Z"), WindowState::Open);
}

/// What forbids starts is heard at every second, whatever begins when the level would be done.
#[test]
fn a_window_that_forbids_counts_at_each_instant() {
    for (cron, length, now) in [
        ("* 8-17 * * 1-5", "1m", "2026-11-24T10:00:00Z"),
        ("*/5 * * * *", "5m", "2026-11-24T10:05:00Z"),
        ("0 * * * *", "1h", "2026-11-24T10:55:00Z"),
    ] {
        let deny = format!("{{name: no, kind: deny, cron: '{cron}', timeZone: UTC, length: {length}}}");
        let policy: Policy = pdp_policies::yaml::read(&format!("windows: [{deny}]")).unwrap();
        for second in -1..=1 {
            let at = At::from_unix(now.parse::<At>().unwrap().unix() + second);
            let state = pdp_policies::gate::window_state(&policy.windows, minutes(5), at);
            assert!(matches!(state, WindowState::Closed { .. }), "{cron} {at}: {state:?}");
        }
    }
    let always = "windows: [{name: no, kind: deny, cron: '*/5 * * * *', timeZone: UTC, length: 5m}]";
    let policy: Policy = pdp_policies::yaml::read(always).unwrap();
    let found = policy.ineffective(None, "2026-11-24T10:00:00Z".parse().unwrap());
    assert!(found[0].starts_with("windows never allow a start"), "{found:?}");
}

/// A start that is allowed for a level of some length is allowed at each minute until it is done, and the next one that is
/// foretold is allowed.
#[test]
fn what_is_allowed_is_allowed_to_its_end() {
    let crons = ["0 22 * * *", "*/7 * * * *", "30 1-5 * * *", "0 0 * * 6", "15 */3 * * *", "* 8-17 * * 1-5"];
    let lengths = ["1m", "7m", "45m", "3h", "1d"];
    let mut seed = 7_u32;
    let mut pick = |count: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % count
    };
    for round in 0..300 {
        let windows: Vec<_> = (0..=pick(3))
            .map(|n| {
                let kind = if pick(2) == 0 { "allow" } else { "deny" };
                let (cron, length) = (crons[pick(crons.len())], lengths[pick(lengths.len())]);
                format!("{{name: w{n}, kind: {kind}, cron: '{cron}', timeZone: UTC, length: {length}}}")
            })
            .collect();
        let policy: Policy = pdp_policies::yaml::read(&format!("windows: [{}]", windows.join(", "))).unwrap();
        let needed = minutes([0, 5, 40, 130][pick(4)]);
        let now = At::from_unix(1_796_000_000 + i64::try_from(pick(7 * 86_400)).unwrap());
        let state = |needed, at| pdp_policies::gate::window_state(&policy.windows, needed, at);
        let start = match state(needed, now) {
            WindowState::Open => now,
            WindowState::Closed { next: Some(next), .. } => next,
            WindowState::Closed { next: None, .. } => continue,
        };
        assert_eq!(state(needed, start), WindowState::Open, "{round}: {windows:?} {start}");
        for second in (0..needed.seconds()).step_by(29).chain([needed.seconds() - 1]).filter(|it| *it >= 0) {
            let at = At::from_unix(start.unix() + second);
            assert_eq!(state(Span::default(), at), WindowState::Open, "{round}: {windows:?} {start} {at}");
        }
    }
}

/// However many openings there are, an answer comes in bounded time, and isn't "never".
#[test]
fn a_hundred_windows_of_each_minute_are_no_reason_to_wait_for_an_answer() {
    let window = "{name: w, kind: allow, cron: '* 0-22 * * *', timeZone: UTC, length: 1m}";
    let policy: Policy =
        pdp_policies::yaml::read(&format!("windows: [{}]", vec![window; 100].join(", "))).unwrap();
    let at: At = "2026-11-24T10:00:00Z".parse().unwrap();
    let state = pdp_policies::gate::window_state(&policy.windows, Span::from_seconds(86_400), at);
    let WindowState::Closed { next: None, why } = state else { panic!("{state:?}") };
    assert!(why.contains("write fewer, longer windows"), "{why}");
    assert_eq!(policy.ineffective(None, at), Vec::<String>::new());
}
