//! The state folder of pdp-sync, with its decision record: done, and killed in the middle of a level.

use serde_json::Value;

use super::{plane, release_42, served, story, world};

/// It was killed when the third of four stages was pushed and not yet noted.
const STAGES_LEFT: usize = 1;

#[test]
fn a_level_that_was_begun_is_finished_without_registry_and_server() {
    let world = world();
    let plane = plane(&world, "applying");
    world.registry.stop();
    let is_in = |phase: &str| {
        let record = std::fs::read(plane.state.join("record.json")).unwrap();
        serde_json::from_slice::<Value>(&record).unwrap()["phase"][phase].is_object()
    };
    assert!(is_in("applying"));
    assert_eq!(plane.level(), Some(40));
    let passed = plane.pass(&world, &[]).unwrap();
    assert!(passed.ok(), "{}", passed.stderr);
    assert_eq!(plane.level(), Some(41), "{:#}", plane.status().unwrap());
    assert!(is_in("done"));
    let log = world.git.git(&plane.name, &["log", "--format=%s", "main"]).unwrap();
    assert_eq!(log.lines().filter(|line| line.starts_with("Level 41")).count(), STAGES_LEFT, "{log}");
    let unreadable = std::fs::read_dir(&plane.state).unwrap().flatten();
    let aside = unreadable.filter(|entry| entry.path().extension().is_some_and(|it| it == "unreadable"));
    assert_eq!(aside.count(), 0, "every piece of state is read");
}

#[test]
fn what_is_installed_stays_as_it_is_and_says_so() {
    let world = served();
    let plane = plane(&world, "done");
    let head = || world.git.git(&plane.name, &["rev-parse", "main"]).unwrap();
    let (before, frozen) = (head(), plane.status().unwrap());
    let files = |name: &str| std::fs::read(plane.state.join(name)).unwrap();
    let policy = files("policy.json");
    let passed = plane.pass(&world, &[]).unwrap();
    assert!(passed.ok(), "{}", passed.stderr);
    let status = plane.status().unwrap();
    for field in ["level", "sha256", "lastGood", "authority", "history", "phase", "health"] {
        assert_eq!(status[field], frozen[field], "{field}: {status:#}");
    }
    assert!(status["events"].as_array().is_some_and(Vec::is_empty), "{status:#}");
    assert!(status["waitingFor"].is_null() && status["refusal"].is_null(), "{status:#}");
    assert_eq!((head(), files("policy.json")), (before, policy));
}

#[test]
fn a_kept_instruction_holds_while_the_server_is_away() {
    let world = world();
    let plane = plane(&world, "done");
    assert!(plane.pass(&world, &[]).unwrap().ok());
    let status = plane.status().unwrap();
    assert_eq!(status["instruction"]["ceiling"], 41, "{status:#}");
    assert_eq!(status["instruction"]["issued"], "2026-11-28T19:11:52Z", "{status:#}");
}

#[test]
fn a_plan_reads_subscription_and_state_and_writes_nothing() {
    let world = world();
    let plane = plane(&world, "done");
    let (file, state) = (plane.subscription.to_string_lossy(), plane.state.to_string_lossy());
    let args = ["plan", "--subscription", &file, "--state", &state];
    let plan = world.run(pdp_e2e::Program::PdpSync, &args, &[]).unwrap();
    assert_eq!(plan.code, Some(0), "{}", plan.stderr);
    assert!(plan.stdout.contains("nothing would be written: up to date"), "{}", plan.stdout);
}

#[test]
fn all_of_them_take_the_next_level() {
    let mut story = story(served(), &["applying", "done", "enrolling"]);
    story.round();
    assert_eq!(story.planes[0].level(), Some(41), "{:#}", story.planes[0].status().unwrap());
    release_42(&story);
    story.until_all_at(42);
    let status = story.planes[1].status().unwrap();
    assert_eq!(status["lastGood"], 41, "{status:#}");
    assert_eq!(status["history"].as_array().map(Vec::len), Some(3), "{status:#}");
    assert!(story.world.verify_events().unwrap().ok());
}
