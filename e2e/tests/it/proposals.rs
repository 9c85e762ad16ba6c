//! Proposals of people in different places: shown before they are signed, overtaken by a brake, dropped.

use pdp_e2e::{Finished, Program, World};
use serde_json::Value;

const CHANNELS: &str = "proposals/channels-2";

fn stop(world: &World, key: &str, reason: &str) -> Finished {
    let key = world.key(key);
    world.publisher(&["channel", "stop", "--line", "pdp-2026", "--reason", reason, "--key", &key]).unwrap()
}

fn shown(world: &World, branch: &str) -> Value {
    let shown = world.publisher(&["catalog", "proposals", "show", branch, "-o", "json"]).unwrap();
    serde_json::from_str(&shown.stdout).unwrap()
}

fn other_plan(world: &World) -> Finished {
    let plan = world.publisher(&["channel", "show", "--line", "pdp-2026", "-o", "json"]).unwrap();
    let mut plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    plan["plan"]["rings"][1]["failureBudget"] = 5.into();
    let file = world.path("plan.json");
    std::fs::write(&file, plan["plan"].to_string()).unwrap();
    let (file, key) = (file.to_string_lossy().into_owned(), world.key("manager-1"));
    world.publisher(&["channel", "plan", "--file", &file, "--line", "pdp-2026", "--key", &key]).unwrap()
}

#[test]
fn whoever_signs_first_sees_what_it_says_in_words_and_values() {
    let world = World::start().unwrap();
    let proposed = other_plan(&world);
    for line in ["pdp-2026: early: failure budget 3 % → 5 %", "  + plan.rings[1].failureBudget: 5"] {
        assert!(proposed.stderr.contains(line), "{line}: {}", proposed.stderr);
    }
    let shown = shown(&world, CHANNELS);
    assert_eq!(shown["words"][0], "pdp-2026: early: failure budget 3 % → 5 %");
    assert_eq!(shown["signatures"], 1);
}

#[test]
fn nobody_signs_unasked_without_the_digest_of_what_was_read() {
    let world = World::start().unwrap();
    stop(&world, "manager-1", "looks bad");
    let digest = shown(&world, CHANNELS)["digest"].as_str().unwrap().to_owned();
    let key = world.key("manager-2");
    let sign = |more: &[&str]| {
        let args = [&["catalog", "sign", CHANNELS, "--key", &key][..], more].concat();
        world.run(Program::Publisher, &args, &[]).unwrap()
    };
    for (more, code) in [
        (&[][..], "NotConfirmed"),
        (&["--yes"][..], "NotConfirmed"),
        (
            &["--expect", "sha256:0000000000000000000000000000000000000000000000000000000000000000"][..],
            "ProposalDiffers",
        ),
    ] {
        let refused = sign(more);
        assert!(refused.stderr.contains(&format!("error[{code}]")), "{more:?}: {}", refused.stderr);
        assert!(
            refused.stderr.contains("STOPPED: nothing starts anywhere (looks bad)"),
            "it is shown all the same"
        );
        assert_eq!(shown(&world, CHANNELS)["signatures"], 1, "{more:?}");
    }
    let signed = sign(&["--expect", &digest]);
    assert!(signed.ok(), "{}", signed.stderr);
    assert_eq!(shown(&world, CHANNELS)["digest"], digest.as_str(), "more signatures are no other proposal");
    world.publish_catalog().unwrap();
}

#[test]
fn the_brake_overtakes_what_a_colleague_left_open() {
    let world = World::start().unwrap();
    other_plan(&world);
    let first = stop(&world, "manager-2", "looks bad");
    assert!(first.stderr.contains("it is overtaken, its 1 signature(s) are gone"), "{}", first.stderr);
    assert_eq!(shown(&world, CHANNELS)["signatures"], 1);
    // The second one runs the same command, later, and joins.
    let second = stop(&world, "manager-3", "looks bad");
    assert!(!second.stderr.contains("overtaken"), "{}", second.stderr);
    assert_eq!(shown(&world, CHANNELS)["signatures"], 2);
    world.publish_catalog().unwrap();
    let channel = world.publisher(&["channel", "show", "--line", "pdp-2026", "-o", "json"]).unwrap();
    let channel: Value = serde_json::from_str(&channel.stdout).unwrap();
    assert_eq!(channel["stop"]["reason"], "looks bad");
    assert_eq!(channel["plan"]["rings"][1]["failureBudget"], 3, "the other change is to be proposed anew");
}

#[test]
fn what_is_no_brake_overtakes_nobody() {
    let world = World::start().unwrap();
    stop(&world, "manager-1", "looks bad");
    let args = ["channel", "stop", "--line", "pdp-2026", "--release", "--key", &world.key("manager-2")];
    let refused = world.run(Program::Publisher, &args, &[]).unwrap();
    assert!(refused.stderr.contains("error[ProposalCollides]"), "{}", refused.stderr);
}

#[test]
fn proposals_are_listed_and_dropped() {
    let world = World::start().unwrap();
    stop(&world, "manager-1", "looks bad");
    let list = || world.publisher(&["catalog", "proposals", "list"]).unwrap().stdout;
    assert!(list().contains("◎ proposals/channels-2: 1 more signature(s) needed"), "{}", list());
    world.publisher(&["catalog", "proposals", "drop", CHANNELS]).unwrap();
    assert!(list().contains("no open proposals"), "{}", list());
    let again = world.run(Program::Publisher, &["catalog", "proposals", "drop", CHANNELS], &[]).unwrap();
    assert!(again.stderr.contains("error[NotFound]"), "{}", again.stderr);
    other_plan(&world);
}
