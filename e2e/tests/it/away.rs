//! Each thing down, for days: the clock moves, nobody sleeps. What runs keeps running, and all ends well.

use pdp_e2e::{Harm, wait_for};
use serde_json::Value;

use crate::rings::Story;

const DAY: i64 = 86_400;

/// A story at level 41 everywhere, two days after it began.
fn at_41() -> Story {
    let mut story = Story::begin(&[("wso2-lab", "canary"), ("acme", "early")]);
    story.release(41);
    story.until_all_at(41);
    story
}

fn refresh(story: &Story) {
    let (snapshot, timestamp) = (story.world.key("snapshot"), story.world.key("timestamp"));
    story.world.publisher(&["catalog", "refresh", "--key", &snapshot, "--key", &timestamp]).unwrap();
}

fn adopted(story: &Story) -> usize {
    let events = story.world.server().unwrap().events().unwrap();
    events.iter().filter(|event| event["body"].as_str().unwrap().contains("\"adopted\"")).count()
}

#[test]
fn a_critical_patch_opened_by_people_while_the_server_is_away_is_adopted_when_it_is_back() {
    let mut story = at_41();
    story.world.server().unwrap().kill();
    for _ in 0..3 {
        story.pass_time(DAY);
        let levels = story.round();
        assert!(levels.values().all(|level| *level == Some(41)), "{levels:?}");
        let status = story.planes[0].status().unwrap();
        assert!(status["conditions"].to_string().contains("InstructionUnavailable"), "{status:#}");
    }
    let unasked = story.world.release(42, "emergency").unwrap_err().to_string();
    assert!(unasked.contains("--without-server"), "what is installed can't be asked: {unasked}");
    story.world.promote(42, &["--tempo", "emergency", "--without-server"]).unwrap();
    story.world.publish_catalog().unwrap();
    story.world.open(42, &["canary=100", "early=100"]).unwrap();
    let levels = story.round();
    assert!(levels.values().all(|level| *level == Some(42)), "{levels:?}");
    let status = story.planes[1].status().unwrap();
    assert!(status["authority"]["openTo"].is_object(), "the status says on whose word: {status:#}");
    story.world.start_server().unwrap();
    story.world.server().unwrap().ready().unwrap();
    wait_for("level 42 at the server", || story.world.rollout(42).is_ok()).unwrap();
    story.round();
    assert_eq!(adopted(&story), 2);
    let census = story.world.rollout(42).unwrap()["rings"][1]["census"].clone();
    assert_eq!(census["healthy"], 1, "{census}");
}

#[test]
fn git_and_the_registry_away_for_days_hold_new_levels_up_and_nothing_else() {
    let mut story = at_41();
    story.release(42);
    story.world.git.faults().add("", "/catalog/", Harm::Status(500), None);
    story.pass_time(3 * DAY);
    let levels = story.round();
    assert!(levels.values().all(|level| *level == Some(41)), "{levels:?}");
    let status = story.planes[0].status().unwrap();
    assert!(status["conditions"].to_string().contains("CatalogStale"), "{status:#}");
    story.world.git.faults().clear();
    refresh(&story);
    story.world.registry.stop();
    story.pass_time(DAY);
    let levels = story.round();
    assert!(levels.values().all(|level| *level == Some(41)), "{levels:?}");
    story.world.registry.restart().unwrap();
    refresh(&story);
    story.until_all_at(42);
}

#[test]
fn a_catalog_past_its_expiry_starts_nothing_and_the_server_grants_nothing() {
    let mut story = at_41();
    story.release(42);
    story.pass_time(8 * DAY);
    wait_for("the server to see it", || {
        story.world.rollout(42).is_ok_and(|v| v["braked"] == "CatalogExpired")
    })
    .unwrap();
    let levels = story.round();
    assert!(levels.values().all(|level| *level == Some(41)), "{levels:?}");
    refresh(&story);
    wait_for("a fresh catalog", || story.world.rollout(42).is_ok_and(|v| v["braked"].is_null())).unwrap();
    story.until_all_at(42);
}

#[test]
fn killed_at_any_time_the_server_comes_back_with_all_it_knew() {
    let mut story = at_41();
    let server = story.world.server().unwrap();
    let before = (server.admin("/v1/organizations").unwrap(), rings(&story, 41));
    let events = server.events().unwrap();
    server.kill();
    story.world.start_server().unwrap();
    server.ready().unwrap();
    assert_eq!((server.admin("/v1/organizations").unwrap(), rings(&story, 41)), before);
    assert_eq!(server.events().unwrap()[..events.len()], events, "no event is lost or changed");
    assert_eq!(server.terminate().unwrap(), Some(0), "a graceful stop");
    story.world.start_server().unwrap();
    server.ready().unwrap();
    // Killed between a grant and its use: the same grant is given again, and counts once.
    story.release(42);
    story.world.registry.stop();
    story.round();
    let granted = || story.world.rollout(42).unwrap()["rings"][0]["starts"].clone();
    assert_eq!(granted(), 1);
    story.world.server().unwrap().kill();
    story.world.start_server().unwrap();
    story.world.server().unwrap().ready().unwrap();
    story.world.registry.restart().unwrap();
    story.round();
    assert_eq!((granted(), story.planes[0].level()), (Value::from(1), Some(42)));
    story.until_all_at(42);
    assert!(story.world.verify_events().unwrap().ok());
}

fn rings(story: &Story, level: u32) -> Value {
    let view = story.world.rollout(level).unwrap();
    let rings = view["rings"].as_array().unwrap().iter();
    rings
        .map(|ring| (ring["ring"].clone(), ring["starts"].clone(), ring["opened"].clone()))
        .map(|t| serde_json::json!([t.0, t.1, t.2]))
        .collect()
}
