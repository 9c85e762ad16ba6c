//! What a release engineer sees of a rollout: why data planes don't start, where they fail, what is left.

use std::collections::BTreeMap;

use pdp_e2e::fleet::{Fleet, Lot, Script};
use pdp_e2e::{Program, World, rfc3339, unix_now};
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

/// Pastes what is printed, with a reason.
fn paste(world: &World, token: &str, command: &str) -> (Option<i32>, String) {
    let command = command.replace("\"...\"", "tested");
    let words: Vec<_> = command.split_whitespace().skip(1).collect();
    let run = world.run(Program::Publisher, &words, &[("PUBLISHER_TOKEN", token)]).unwrap();
    (run.code, run.stdout + &run.stderr)
}

#[test]
fn each_command_that_is_printed_under_a_hold_ends_it_whatever_stands_beside_it() {
    let mut world = World::start().unwrap();
    world.serve().unwrap();
    world.organization("acme", "canary").unwrap();
    world.release(41, "emergency").unwrap();
    world.wait_for_ring(41, "canary", "open").unwrap();
    let ann = world.server().unwrap().token.clone();
    let bob = world.colleague("bob@wso2").unwrap();
    let [ring, rollout, acme] = [
        json!({"ring": {"ring": "canary"}}),
        json!({"rollout": {}}),
        json!({"organization": {"organization": "acme"}}),
    ];
    for order in [
        json!({"halt": {"scope": ring}}),
        json!({"halt": {"scope": rollout}}),
        json!({"halt": {"scope": acme}}),
        json!({"pause": {}}),
    ] {
        let (status, answer) = world.order(41, &ann, &order).unwrap();
        assert_eq!((status, &answer["recorded"]), (200, &json!(true)), "{answer}");
        assert_eq!(world.order(41, &bob, &order).unwrap().1["recorded"], false, "it stands so already");
    }
    let unknown = json!({"halt": {"scope": {"organization": {"organization": "acmee"}}}});
    assert_eq!(
        world.order(41, &ann, &unknown).unwrap().0,
        404,
        "a typo halts nobody and doesn't look as if it did"
    );
    let figures = || world.server().unwrap().get("/metrics").unwrap().1;
    let held = |by: &str, n: u32| {
        figures().contains(&format!("pdp_channel_server_rollouts_held{{by=\"{by}\"}} {n}"))
    };
    assert!(held("halt", 1) && held("pause", 1) && held("everything", 0), "{}", figures());
    let shown = world.run(Program::Publisher, &STATUS, &[]).unwrap().stdout;
    assert!(shown.contains("paused by people") && shown.contains("token:admin@wso2: a test"), "{shown}");
    let commands = shown.lines().filter_map(|line| line.find("publisher rollout").map(|at| &line[at..]));
    let commands: Vec<_> = commands.collect();
    assert_eq!(commands.len(), 4, "{shown}");
    for command in commands {
        for (token, person) in [(&ann, "ann"), (&bob, "bob")] {
            let (code, said) = paste(&world, token, command);
            assert_eq!(code, Some(0), "{person}: {command}: {said}");
        }
    }
    let view = world.rollout(41).unwrap();
    assert!(view["halts"].is_null() && view["paused"].is_null(), "{view:#}");
    assert!(held("halt", 0) && held("pause", 0), "{}", figures());
    let (code, said) = paste(&world, &ann, "publisher rollout resume 41 --line pdp-2026 --reason \"...\"");
    assert!(code == Some(0) && said.contains("nothing changed"), "{said}");
}
