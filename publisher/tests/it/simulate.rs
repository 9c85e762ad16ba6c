//! `rollout simulate`: words, JSON, picture, and bad input.

use super::{fixtures, publisher};

fn simulate(more: &[&str]) -> (i32, String, String) {
    let fleet = fixtures().join("rollouts/fleet.yaml");
    publisher(&[&["rollout", "simulate", fleet.to_str().unwrap()], more].concat())
}

#[test]
fn a_good_level_gets_through_and_says_when() {
    let (code, text, _) = simulate(&["--tempo", "accelerated"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!("good", text);
}

#[test]
fn a_bad_level_halts_by_itself_and_says_how_far_it_came() {
    let (code, text, _) = simulate(&["--tempo", "accelerated", "--breaks", "5", "--silent", "20"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!("bad", text);
}

#[test]
fn the_same_seed_gives_the_same_answer_and_another_one_another() {
    let args = ["--breaks", "30", "--tempo", "emergency", "--seed"];
    let with = |seed: &str| simulate(&[&args[..], &[seed]].concat()).1.replace(&format!("seed {seed}"), "");
    assert_eq!(with("1"), with("1"));
    assert_ne!(with("1"), with("7"));
}

#[test]
fn json_carries_the_same_facts() {
    let (code, text, _) = simulate(&["--tempo", "emergency", "--breaks", "100", "-o", "json"]);
    assert_eq!(code, 0);
    let mut answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    let curve = answer["gated"]["curve"].as_array().unwrap();
    assert_eq!(curve.last().unwrap()["started"], serde_json::json!([1, 0, 0, 0]), "one canary, and no more");
    answer["gated"]["curve"].take();
    answer["timed"]["curve"].take();
    insta::assert_json_snapshot!("json", answer);
}

#[test]
fn the_picture_shows_both_plans_the_openings_and_the_halt() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.svg");
    let (code, _, error) =
        simulate(&["--tempo", "accelerated", "--breaks", "5", "--plot", file.to_str().unwrap()]);
    assert_eq!(code, 0, "{error}");
    let svg = std::fs::read_to_string(&file).unwrap();
    let words = [
        "Waves that prove themselves: halted",
        "The same length by the clock alone, if nobody stops it: 959 start",
        "canary opens",
        "early opens",
        ">halted<",
        ">people notice<",
        "<title>early healthy</title>",
        "<title>early broken</title>",
        "</svg>",
    ];
    for part in words {
        assert!(svg.contains(part), "{part}");
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "every number is one");
    assert_eq!(svg.matches("<svg").count(), 1);
}

#[test]
fn bad_input_is_refused_with_everything_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let fleet = write(
        "fleet.yaml",
        "pollEvery: 2d\nupgrade: {least: 9m, most: 8m}\nrings:\n  - {name: moon, organizations: 0}\n  \
         - {name: early, organizations: 4000000000, dataPlanes: 3, windows: {share: 5, every: 1h, open: 2h}}\n",
    );
    let (code, _, error) = publisher(&["rollout", "simulate", &fleet]);
    assert_eq!(code, 1, "{error}");
    let problems = [
        "pollEvery: 2d is not within",
        "pollEvery: 2d is longer than a window is open, 2h",
        "upgrade: 9m is more than 8m",
        "rings.0.name: the plan has no ring `moon`",
        "rings.0.organizations: nobody",
        "rings.1.windows.open: 2h",
        "more than 100000 data planes",
    ];
    for problem in problems {
        assert!(error.contains(problem), "{problem} in {error}");
    }
    let plan = write("plan.yaml", "rings: []\ntempos: {}\n");
    let good = fixtures().join("rollouts/fleet.yaml");
    let (code, _, error) =
        publisher(&["rollout", "simulate", good.to_str().unwrap(), "--plan", &plan, "--breaks", "5"]);
    assert_eq!(code, 1);
    for problem in ["rings: there is none", "tempos: there is none", "no ring `canary`", "no tempo normal"] {
        assert!(error.contains(problem), "{problem} in {error}");
    }
    let typo = write("typo.yaml", "upgrade: {least: 1m, most: 2m}\nrings: []\nrigns: []\n");
    let (code, _, error) = publisher(&["rollout", "simulate", &typo]);
    assert!(code == 1 && error.contains("rigns"), "{error}");
    for (flag, value) in [("--breaks", "101"), ("--breaks", "-1"), ("--from", "-5"), ("--tempo", "fast")] {
        let (code, _, _) = simulate(&[&format!("{flag}={value}")]);
        assert_ne!(code, 0, "{flag} {value}");
    }
}

const SCENARIO: &str = "# A release engineer's own.\nfleet:\n  upgrade: {least: 8m, most: 25m}\n  rings:\n    \
    - {name: canary, organizations: 4}\n    - {name: early, organizations: 9, dataPlanes: 2}\n\
    level: {breaks: 20%, after: 1h}\nothers: {sick: 5‰}\ntempo: emergency\nseed: 3\n";

#[test]
fn a_scenario_is_played_and_its_table_compared() {
    let folder = tempfile::tempdir().unwrap();
    let (file, plot) = (folder.path().join("own.txt"), folder.path().join("own.svg"));
    let play = |text: &str, more: &[&str]| {
        std::fs::write(&file, text).unwrap();
        publisher(&[&["rollout", "simulate", "--scenario", file.to_str().unwrap()], more].concat())
    };
    let (code, text, error) = play(SCENARIO, &["--plot", plot.to_str().unwrap()]);
    assert_eq!(code, 0, "without a table nothing is compared: {error}");
    assert!(std::fs::read_to_string(&plot).unwrap().contains("</svg>"));
    let (headline, table) = text.split_once("\n\n").unwrap();
    assert!(headline.contains("breaks 20 % 1h after their start, 0.5 % sick before"), "{headline}");
    let with = format!("{SCENARIO}---\n{table}");
    assert_eq!(play(&with, &[]).0, 0, "the table that came out");
    let (code, _, error) = play(&with.replace("22 start", "21 start"), &[]);
    assert!(code == 1 && error.contains("another table"), "{error}");
    let (code, json, _) = play(&with, &["-o", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(code == 0 && answer["breaks"] == 20 && answer["sick"] == 0.5, "{answer}");
    let (code, _, error) = play(&SCENARIO.replace("canary", "moon"), &[]);
    assert!(code == 1 && error.contains("fleet.rings.0.name: the plan has no ring `moon`"), "{error}");
    let (code, _, error) = play(&SCENARIO.replace("others", "otters"), &[]);
    assert!(code == 1 && error.contains("otters"), "{error}");
    let (code, _, error) = play(SCENARIO, &["--breaks", "5"]);
    assert!(code == 2 && error.contains("--breaks"), "a scenario says all itself: {error}");
}

#[test]
fn what_fails_without_the_levels_doing_is_told_apart() {
    let args = [
        "--tempo",
        "accelerated",
        "--sick",
        "2",
        "--by-chance",
        "1%",
        "--after",
        "60",
        "--acknowledge",
        "1d",
    ];
    let (code, text, error) = simulate(&args);
    assert_eq!(code, 0, "{error}");
    assert!(text.contains("a good level, 2 % sick before, 1 % fail by chance"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let plot = folder.path().join("out.svg");
    let (_, json, _) = simulate(&[&args[..], &["-o", "json", "--plot", plot.to_str().unwrap()]].concat());
    let svg = std::fs::read_to_string(&plot).unwrap();
    assert!(
        svg.contains("<title>general failed otherwise</title>") && svg.contains(">failed otherwise</text>")
    );
    let answer: serde_json::Value = serde_json::from_str(&json).unwrap();
    let timed = &answer["timed"];
    assert!(timed["sick"].as_u64() > Some(0) && timed["byChance"].as_u64() > Some(0), "{timed}");
    assert_eq!((&timed["broken"], &timed["stop"]), (&0.into(), &serde_json::Value::Null), "nobody is misled");
    assert_eq!((&answer["acknowledge"], &answer["after"]), (&"1d".into(), &"1h".into()));
}
