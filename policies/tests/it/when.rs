//! When levels can start, step by step.

use pdp_policies::At;
use pdp_policies::gate::Candidate;
use pdp_policies::policy::Policy;

use crate::gate::Setting;
use crate::vendor::{KEY_OF_A_PERSON, NOW};

const DAY: i64 = 86_400;

/// Each step as `time codes`.
fn steps(candidate: &Candidate) -> Vec<String> {
    let code = |words: &String| words.split(':').next().unwrap().to_owned();
    let step = |step: &pdp_policies::gate::Step| {
        let codes: Vec<_> = step.because.iter().map(code).collect();
        format!("{} {}", step.at.map_or("now".to_owned(), |at| at.to_string()), codes.join("+"))
    };
    candidate.steps.iter().map(step).collect()
}

#[test]
fn windows_freezes_ages_approvals_and_the_vendors_times_are_played_forward() {
    let mut setting = Setting::open();
    let yaml = "windows: [{name: w, kind: allow, cron: '0 22 * * 6', timeZone: UTC, length: 4h}]\n\
                minimumAge: {age: 7d}\n\
                freezes: [{reason: r, from: 2026-12-05T00:00:00Z, until: 2026-12-10T00:00:00Z}]\n\
                approval: {quorum: 1, approvers: ['KEY']}";
    setting.policy = pdp_policies::yaml::read::<Policy>(&yaml.replace("KEY", KEY_OF_A_PERSON)).unwrap();
    let opens = At::from_unix(NOW + 3 * DAY);
    let highest = setting.channel.levels.keys().next_back().copied().unwrap();
    setting.channel.levels.get_mut(&highest).unwrap().opens_at.insert(setting.ring.clone(), opens);
    let found = setting.when();
    assert_eq!(found.iter().map(|it| it.level.0).collect::<Vec<_>>(), [42, 41]);
    let told = steps(&found[0]);
    assert_eq!(
        told,
        [
            "now RingNotOpenYet+OutsideWindow+TooYoung+AwaitingApproval",
            "2026-11-29T08:00:00Z OutsideWindow",
            "2026-12-05T22:00:00Z Frozen",
            "2026-12-10T00:00:00Z OutsideWindow",
        ]
    );
    assert_eq!(found[0].forecast.at, Some("2026-12-12T22:00:00Z".parse().unwrap()));
    assert_eq!(found[0].forecast, setting.waiting().forecast, "one walk, one answer");
}

#[test]
fn what_may_start_now_has_no_steps_and_what_is_installed_is_no_candidate() {
    let found = Setting::open().when();
    assert!(found.iter().all(|it| it.steps.is_empty() && it.forecast == Default::default()), "{found:?}");
    let newest = Setting { installed: Some(pdp_policies::Level(42)), ..Setting::open() };
    assert_eq!(newest.when(), []);
}
