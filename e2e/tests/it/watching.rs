//! What a release engineer sees of a rollout: why data planes don't start, where they fail, what is left.

use std::collections::BTreeMap;

use pdp_e2e::fleet::{Fleet, Lot, Script};
use pdp_e2e::{Program, rfc3339, unix_now};
use serde_json::{Value, json};

use crate::fleets::{runtime, until, world};

const STATUS: [&str; 5] = ["rollout", "status", "41", "--line", "pdp-2026"];
const SIZE: usize = 40;

/// Half of them defer, for reasons of their own.
fn script() -> Script {
    let reasons = vec![
        vec!["OutsideWindow"],
        vec!["NoGrant", "Pinned", "OutsideWindow"],
        vec!["RingNotOpenYet", "AwaitingApproval"],
        vec!["Withdrawn"],
    ];
    Script { deferred: 50, reasons, component: Some("choreo-connect-router"), ..Script::default() }
}

/// How many defer, and how many of them by the first obstacle that is the customer's.
fn deferring(script: &Script) -> (usize, BTreeMap<String, usize>) {
    let ids = (0..SIZE).map(|n| format!("canary-0/dp-{n}"));
    let ids: Vec<_> = ids.filter(|id| script.lot(id, 41, 1) == Lot::Deferred).collect();
    let mut by_code = BTreeMap::<String, usize>::new();
    for id in &ids {
        let own = script
            .reasons(id, 41)
            .iter()
            .find(|code| ["OutsideWindow", "Pinned", "AwaitingApproval"].contains(code));
        own.into_iter().for_each(|code| *by_code.entry((*code).to_owned()).or_default() += 1);
    }
    (ids.len(), by_code)
}

/// Unix seconds of a time in an answer.
fn seconds(time: &Value) -> i64 {
    time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second()
}

#[test]
fn a_ring_says_why_they_defer_where_they_fail_and_what_is_left_by_the_servers_clock() {
    let (runtime, mut world) = (runtime(), world());
    let start = unix_now();
    world.set_now(start).unwrap();
    let fleet = Fleet::enrol(&runtime, &world, &[("canary", 1, SIZE)]).unwrap();
    let (deferred, by_code) = deferring(&script());
    assert!(
        by_code.len() == 3 && deferred > by_code.values().sum(),
        "{by_code:?} of {deferred}: another seed"
    );
    let playing = fleet.play(&runtime, script(), None);
    until(&world, &playing, "the first one to be healthy, and all others to have said why not", |view| {
        let ring = &view["rings"][0];
        ring["census"]["deferred"] == deferred
            && ring["census"]["healthy"] == 1
            && ring["soakedAt"].is_string()
    });
    // The laptop's clock is years behind.
    let status = |more: &[&str]| {
        let args = [&STATUS[..], more].concat();
        world.run(Program::Publisher, &args, &[("PDP_NOW", "2020-01-01T00:00:00Z")]).unwrap()
    };
    let view: Value = serde_json::from_str(&status(&["-o", "json"]).stdout).unwrap();
    let ring = &view["rings"][0];
    assert_eq!(ring["reasons"], json!({ "deferred": by_code }), "{view:#}");
    assert_eq!(
        (&view["now"], &ring["bears"], &ring["failures"]),
        (&json!(rfc3339(start)), &json!(0), &json!(0))
    );
    let text = status(&[]).stdout;
    let mut reasons: Vec<_> = by_code.iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let opens = &view["rings"][1]["opensAt"];
    let minutes = (seconds(opens) - start) / 60;
    let reasons: Vec<_> = reasons.iter().map(|(code, count)| format!("{count} {code}")).collect();
    for words in [
        &format!("{deferred} deferred ({})", reasons.join(", ")),
        "wave 1 of 2, 1 of 1 starts, soaks 15m more, the first failure halts it",
        &format!("early        waits {minutes}m at least, until {}", opens.as_str().unwrap()),
    ] {
        assert!(text.contains(words), "{words} in\n{text}");
    }

    drop(playing);
    world.set_now(start + 15 * 60).unwrap();
    world.wait_for_wave(41, "canary", 2).unwrap();
    let playing = fleet.play(&runtime, Script { breaks: [(41, 100)].into(), ..script() }, None);
    until(&world, &playing, "the ring to halt, and nobody to be under way", |view| {
        let ring = &view["rings"][0];
        ring["phase"] == "halted" && ring["census"]["started"] == 0
    });
    let watched =
        world.run(Program::Publisher, &[&STATUS[..], &["--watch", "--until", "held"]].concat(), &[]).unwrap();
    assert_eq!(watched.code, Some(3), "{}", watched.stderr);
    let view = world.rollout(41).unwrap();
    let failed = &view["rings"][0]["census"]["failed"];
    assert_eq!(view["rings"][0]["reasons"]["failed"], json!({ "choreo-connect-router": failed }), "{view:#}");
    for words in [
        &format!("{failed} failed ({failed} choreo-connect-router)"),
        "✗ ring `canary` halted since",
        "two people end it, each with: publisher rollout resume 41 --line pdp-2026 --ring canary --reason",
    ] {
        assert!(watched.stdout.contains(words), "{words} in\n{}", watched.stdout);
    }
    assert!(
        watched.stderr.contains("level 41 of pdp-2026 can't go on by itself: ring `canary` halted"),
        "{}",
        watched.stderr
    );
}
