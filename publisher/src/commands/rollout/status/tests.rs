#![allow(clippy::unwrap_used)]
//! What a release engineer sees, as pictures; and when watching ends.

use pdp_policies::At;
use pdp_transport::channel_server::RolloutView;
use serde_json::{Value, json};

use super::bars::screen;
use super::left::span;
use super::lines::Lines;
use super::text;
use super::until::{End, Until, end};

const NOW: &str = "2026-11-24T03:12:05Z";

fn ring(name: &str, status: &str, phase: &str, more: &Value) -> Value {
    let mut ring = json!({
        "ring": name, "status": status, "phase": phase, "opensAt": "2026-11-23T00:00:00Z", "opened": null,
        "wave": 1, "waves": 2, "cap": null, "starts": 0, "soakedAt": null, "failures": 0, "budget": 5, "bears": 0,
        "organizationBudget": 1, "census": {},
    });
    for (key, value) in more.as_object().unwrap() {
        ring[key] = value.clone();
    }
    ring
}

fn view(rings: &[Value], more: &Value) -> RolloutView {
    let mut view = json!({
        "line": "pdp-2026", "level": 42, "sha256": format!("sha256:{}", "0".repeat(64)), "tempo": "normal",
        "created": "2026-11-23T00:00:00Z", "now": NOW, "braked": null, "phase": "open", "attempt": 1, "rings": rings,
    });
    for (key, value) in more.as_object().unwrap() {
        view[key] = value.clone();
    }
    serde_json::from_value(view).unwrap()
}

fn passed() -> Value {
    let census = json!({ "members": 3, "healthy": 3 });
    ring("canary", "passed", "passed", &json!({ "wave": 2, "starts": 3, "budget": 0, "census": census }))
}

fn soaking() -> Value {
    let census = json!({
        "members": 120, "healthy": 57, "started": 4, "failed": 2, "silent": 1, "offered": 30, "deferred": 8,
        "notReporting": 6, "past": 10, "excluded": 2,
    });
    let reasons = json!({
        "deferred": { "OutsideWindow": 4, "Pinned": 1, "AwaitingApproval": 2 }, "failed": { "router": 2 },
    });
    ring(
        "early",
        "open",
        "soaking",
        &json!({
            "cap": 120, "starts": 64, "soakedAt": "2026-11-24T03:53:20Z", "failures": 3, "bears": 4, "wave": 2,
            "organizationFailures": { "nordbank": 1 }, "census": census, "reasons": reasons,
        }),
    )
}

fn waiting() -> Value {
    let census = json!({ "members": 4000, "waiting": 3990, "notReporting": 10 });
    let later = json!({ "opensAt": "2026-11-26T08:00:00Z", "wave": 0, "waves": 3, "census": census });
    ring("general", "waiting", "waiting", &later)
}

fn going() -> RolloutView {
    view(&[passed(), soaking(), waiting()], &json!({ "phase": "soaking" }))
}

fn halted() -> RolloutView {
    let census = json!({ "members": 40, "healthy": 20, "failed": 2, "silent": 1, "offered": 17 });
    let reasons = json!({ "failed": { "router": 1, "gateway": 1 } });
    let more = json!({
        "cap": 40, "starts": 23, "failures": 3, "bears": 1, "wave": 2, "lacks": { "budget": {} },
        "census": census, "reasons": reasons,
    });
    let halts = json!([
        {
            "scope": { "ring": { "ring": "early" } }, "at": "2026-11-24T02:47:00Z", "resumeAsked": "ann@wso2",
            "cause": { "failureBudget": { "failures": 3, "eligible": 23, "budget": 5 } },
        },
        {
            "scope": { "organization": { "organization": "nordbank" } }, "at": "2026-11-24T02:46:00Z",
            "cause": { "organizationFailures": { "ring": "early", "failures": 2, "allowed": 1 } },
        },
    ]);
    let rings = [passed(), ring("early", "open", "halted", &more), waiting()];
    view(
        &rings,
        &json!({ "phase": "halted", "halts": halts, "paused": "2026-11-24T03:00:00Z", "attempt": 2 }),
    )
}

/// A canary ring that nobody can prove; `more` is its census.
fn unproven(more: &Value) -> RolloutView {
    let more = json!({ "lacks": { "nobody": {} }, "cap": 1, "census": more });
    view(&[ring("canary", "open", "open", &more), waiting()], &json!({}))
}

fn braked(code: &str, more: &Value) -> RolloutView {
    let mut all = json!({ "braked": code });
    for (key, value) in more.as_object().unwrap() {
        all[key] = value.clone();
    }
    view(&[passed(), waiting()], &all)
}

#[test]
fn the_text_says_what_goes_on_what_is_left_and_what_to_do() {
    insta::assert_snapshot!("text_going", text(&going()));
    insta::assert_snapshot!("text_halted", text(&halted()));
    insta::assert_snapshot!(
        "text_unproven",
        text(&unproven(&json!({ "members": 9, "deferred": 7, "notReporting": 2 })))
    );
}

#[test]
fn whom_an_unproven_wave_waits_for_and_the_way_out_are_named() {
    let ring = |more: Value| text(&view(&[ring("canary", "open", "open", &more), waiting()], &json!({})));
    let sample = json!({ "sample": { "started": 1, "needed": 2 } });
    let mute =
        ring(json!({ "lacks": sample, "cap": 2, "starts": 2, "unheard": 1, "census": { "members": 2 } }));
    assert!(mute.contains("1 started unheard and count no longer than `silenceAfter`"), "{mute}");
    let healthy = json!({ "healthy": { "healthy": 1, "needed": 2 } });
    let census = json!({ "members": 2, "healthy": 1, "silent": 1 });
    let reasons = json!({ "failing": { "acme/prod": { "silent": true } } });
    let silent =
        ring(json!({ "lacks": healthy, "cap": 2, "starts": 2, "census": census, "reasons": reasons }));
    assert!(silent.contains("rollout skip 42 --line pdp-2026 --pdp acme/prod --reason"), "{silent}");
}

#[test]
fn a_wave_that_nobody_is_about_to_prove_names_the_way_out_at_every_lack() {
    let sample = json!({ "sample": { "started": 1, "needed": 2 } });
    let healthy = json!({ "healthy": { "healthy": 1, "needed": 2 } });
    let offered = json!({ "members": 2, "healthy": 1, "offered": 1 });
    let failed = json!({ "members": 3, "healthy": 1, "failed": 1, "offered": 1 });
    for (lack, census, retryable, out) in [
        (
            &sample,
            &offered,
            false,
            "`kubectl pdp why` says, or people leave it out: publisher rollout skip 42",
        ),
        (
            &healthy,
            &failed,
            true,
            "people let it try again (or skip those that failed): publisher rollout retry 42",
        ),
        (&healthy, &failed, false, "publisher rollout skip 42 --line pdp-2026 --pdp ORGANIZATION/NAME"),
    ] {
        let canary = ring(
            "canary",
            "open",
            "open",
            &json!({ "lacks": lack, "cap": 3, "starts": 2, "census": census }),
        );
        let people = json!({ "people": { "ring": "canary", "wave": 1, "lack": lack } });
        let stalled = view(&[canary, waiting()], &json!({ "waitsFor": people, "retryable": retryable }));
        let mut going = stalled.clone();
        going.waits_for = None;
        for (shown, going) in [
            (text(&stalled), text(&going)),
            (Lines::default().news(&stalled).join("\n"), Lines::default().news(&going).join("\n")),
        ] {
            assert!(shown.contains(out), "{out} in\n{shown}");
            assert!(!going.contains("publisher rollout"), "{going}");
        }
        assert!(screen(&stalled, 120, false).join(" ").contains("publisher rollout"), "{out}");
    }
}

#[test]
fn the_bars_say_the_same_within_80_columns() {
    for (name, view) in [("bars_going", going()), ("bars_halted", halted())] {
        let lines = screen(&view, 80, false);
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
        insta::assert_snapshot!(name, lines.join("\n"));
    }
    for width in [0, 44, 60, 80, 1000] {
        let lines = screen(&going(), width, false);
        assert!(lines.iter().all(|line| line.chars().count() <= width.clamp(44, 120)), "{width}: {lines:#?}");
    }
}

#[test]
fn the_sample_in_the_docs_is_what_it_shows() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rollouts.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    assert!(docs.contains(&screen(&going(), 80, false).join("\n")), "docs/rollouts.md, \"Follow one\"");
}

#[test]
fn colours_change_no_letter_and_come_only_where_they_are_wanted() {
    let (plain, colored) = (screen(&going(), 80, false).join("\n"), screen(&going(), 80, true).join("\n"));
    assert!(!plain.contains('\u{1b}') && colored.contains("\u{1b}[31m"), "failures are red");
    let mut bare = String::new();
    for part in colored.split('\u{1b}') {
        bare.push_str(
            part.strip_prefix('[').and_then(|rest| rest.split_once('m')).map_or(part, |(_, rest)| rest),
        );
    }
    assert_eq!(bare, plain);
}

#[test]
fn one_failure_among_a_hundred_thousand_is_seen_and_an_empty_ring_has_no_bar() {
    let cells = |census: Value| {
        let members = census["members"].clone();
        let view = view(&[ring("general", "open", "open", &json!({ "census": census }))], &json!({}));
        let lines = screen(&view, 80, false);
        let bar = lines[1].split(' ').find(|word| word.len() == 49).unwrap_or_default().to_owned();
        assert!(lines[1].ends_with(&format!("/{members}")), "{}", lines[1]);
        bar
    };
    let bar = cells(json!({ "members": 100_000, "healthy": 99_998, "failed": 1, "silent": 1 }));
    assert_eq!(bar, format!("{}F!", "H".repeat(47)));
    assert_eq!(cells(json!({ "members": 2, "healthy": 1, "offered": 1 })).matches('o').count(), 24);
    assert_eq!(cells(json!({ "members": 0 })), "");
    let all = json!({
        "members": 10_007, "healthy": 10_000, "started": 1, "failed": 1, "silent": 1, "offered": 1, "deferred": 1,
        "waiting": 1, "past": 1,
    });
    assert_eq!(cells(all), format!("{}sF!od.-", "H".repeat(42)));
}

#[test]
fn what_brakes_it_is_said_with_its_end() {
    let since = json!({ "brakedSince": "2026-11-24T01:12:05Z", "brakedDetail": "customers report timeouts" });
    for (code, more, words) in [
        (
            "Stopped",
            &since,
            &[
                "stopped since 2026-11-24T01:12:05Z, 2h ago: customers report",
                "channel stop --line pdp-2026 --release",
            ][..],
        ),
        ("Withdrawn", &since, &["withdrawn since", "promote another level"]),
        ("CatalogExpired", &since, &["expired since", "catalog refresh"]),
        ("Halted", &since, &["everything is halted since", "resume-everything", "two people"]),
        ("Halted", &json!({}), &["Halted: the server holds it; nothing starts", "docs/channel-server.md"]),
    ] {
        let view = braked(code, more);
        for shown in
            [text(&view), screen(&view, 120, false).join("\n"), Lines::default().news(&view).join("\n")]
        {
            for word in words {
                assert!(shown.contains(word), "{code}: {word} in\n{shown}");
            }
        }
    }
}

#[test]
fn lines_tell_turns_at_once_and_numbers_once_a_minute() {
    let mut lines = Lines::default();
    let mut view = going();
    let first = lines.news(&view);
    insta::assert_snapshot!("lines_going", first.join("\n"));
    assert_eq!(lines.news(&view), [""; 0], "nothing changed");

    let start: At = NOW.parse().unwrap();
    let mut told = Vec::new();
    for second in 1..=150 {
        view.now = start.plus(pdp_policies::Span::from_seconds(second));
        view.rings[1].census.healthy += 1;
        told.extend(lines.news(&view).into_iter().map(|line| (second, line)));
    }
    let seconds: Vec<_> = told.iter().map(|(second, _)| *second).collect();
    assert_eq!(seconds, [60, 120], "{told:#?}");
    assert!(told[1].1.contains("177 healthy"), "the newest number: {}", told[1].1);

    view.rings[1].failures = 0;
    assert_eq!(lines.news(&view).len(), 1, "that no failure counts any more is a turn");
    view.rings[1].failures = 1;
    assert_eq!(lines.news(&view).len(), 1, "and so is the first failure");
    view.rings[2].opens_at = None;
    assert_eq!(lines.news(&view).len(), 1, "the other ring was told of minutes ago");
    view.rings[2].census.waiting = 1;
    assert_eq!(lines.news(&view), [""; 0], "and waits for its minute now");

    let (before, mut halted) = (going(), halted());
    let mut lines = Lines::default();
    lines.news(&before);
    insta::assert_snapshot!("lines_halted", lines.news(&halted).join("\n"));
    halted.now = halted.now.plus(pdp_policies::Span::from_seconds(30));
    assert_eq!(lines.news(&halted), [""; 0], "how long it has been halted is no news");
    halted.halts[1].resume_asked = Some("bob@wso2".into());
    let asked = lines.news(&halted);
    assert!(
        asked.len() == 1 && asked[0].contains("✗ organization") && asked[0].contains("bob@wso2"),
        "{asked:#?}"
    );
    halted.halts.clear();
    let over = lines.news(&halted);
    assert_eq!(over.iter().filter(|line| line.contains("✔ over: ")).count(), 2, "{over:#?}");
}

#[test]
fn watching_ends_when_it_is_through_and_for_scripts_when_it_cannot_go_on() {
    let held = |view: &RolloutView| match end(view, Until::Held) {
        Some(End::Held(why)) => why,
        other => format!("{other:?}"),
    };
    let through = view(&[passed()], &json!({ "phase": "passed" }));
    assert_eq!(
        (end(&through, Until::Passed), end(&through, Until::Held)),
        (Some(End::Passed), Some(End::Passed))
    );
    assert_eq!((end(&going(), Until::Passed), end(&going(), Until::Held)), (None, None));

    assert_eq!(end(&halted(), Until::Passed), None, "people stay and look");
    assert!(held(&halted()).contains("ring `early` halted since"), "{}", held(&halted()));
    assert!(held(&halted()).contains("publisher rollout resume 42 --line pdp-2026 --ring early"));
    let mut one = halted();
    (one.paused, one.halts) = (None, one.halts.split_off(1));
    assert_eq!(held(&one), "None", "one organization is halted, the others go on");

    for code in ["Stopped", "CatalogExpired", "Halted"] {
        assert_eq!(end(&braked(code, &json!({})), Until::Passed), None, "{code}");
        assert!(held(&braked(code, &json!({}))).starts_with(code), "{code}");
    }
    let withdrawn = braked("Withdrawn", &json!({}));
    assert!(matches!(end(&withdrawn, Until::Passed), Some(End::Held(_))), "that is for good");

    let mut superseded = going();
    assert_eq!(held(&superseded), "None");
    superseded.rings.remove(1);
    superseded.rings[1].phase = pdp_policies::rollout::Phase::Superseded;
    assert!(held(&superseded).contains("ring `general` won't open"));

    let nobody = unproven(&json!({ "members": 1, "excluded": 1 }));
    assert!(
        held(&nobody).contains("publisher rollout acknowledge 42 --line pdp-2026 --ring canary --wave 1")
    );
    let somebody = unproven(&json!({ "members": 2, "excluded": 1, "deferred": 1 }));
    assert_eq!(held(&somebody), "None", "its window may open");
}

#[test]
fn times_are_said_in_their_two_largest_units() {
    let table = [
        (-5, "0s"),
        (0, "0s"),
        (59, "59s"),
        (61, "1m"),
        (2475, "41m"),
        (3600, "1h"),
        (11_520, "3h 12m"),
        (86_400, "1d"),
        (189_000, "2d 4h"),
    ];
    for (seconds, words) in table {
        assert_eq!(span(seconds), words);
    }
}
