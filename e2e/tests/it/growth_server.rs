//! Levels leave the catalog whose rollouts a channel server holds in its database: it goes on, and so does every other level.

use pdp_e2e::{Postgres, World, wait_for};

use serde_json::{Value, json};

use crate::growth::{levels, prune};
use crate::rings::Story;

const RINGS: [(&str, &str); 3] = [("wso2-lab", "canary"), ("acme", "early"), ("shop", "general")];
const NEWEST: [&str; 4] = ["--keep", "1", "--older-than", "0"];

/// The channel's proposal and the one of the releases, published.
fn pruned(world: &World, more: &[&str]) {
    for (what, more) in [("channel", &[&NEWEST[..], more].concat()[..]), ("release", &[])] {
        let pruned = prune(world, what, more);
        assert!(pruned.ok(), "{}", pruned.stderr);
    }
    world.publish_catalog().unwrap();
}

/// Waits until the server follows a catalog without these levels.
fn until_forgotten(world: &World, gone: &[u32]) {
    let forgotten = || gone.iter().all(|level| world.rollout(*level).is_err());
    wait_for("the server to follow the pruned catalog", forgotten).unwrap();
    world.server().unwrap().ready().unwrap();
}

fn a_server_goes_on(mut story: Story) {
    story.release(40);
    story.until_all_at(40);
    story.release(41);
    assert_eq!(story.round()["wso2-lab-prod"], Some(41), "{:#}", story.world.rollout(41).unwrap());
    // Asked, the server names what is installed, and both levels stay.
    story.release(42);
    let shown = prune(&story.world, "channel", &[&NEWEST[..], &["--show", "-o", "json"]].concat());
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["gone"], json!([]), "{shown:#}");
    for level in ["40", "41"] {
        assert!(shown["kept"][level].to_string().contains("reported"), "{level}: {shown:#}");
    }
    // In the midst of a rollout, and the level that is installed beside it; nobody asks the server.
    story.pass_time(60);
    pruned(&story.world, &["--without-server"]);
    assert_eq!(levels(&story.world), ["targets/release-pdp-2026-42.json"]);
    until_forgotten(&story.world, &[40, 41]);

    // Whoever runs a pruned level is heard all the same, and the other level goes its way, ring by ring.
    assert_eq!(story.round()["acme-prod"], Some(40), "it keeps running");
    story.world.server().unwrap().kill();
    story.world.start_server().unwrap();
    until_forgotten(&story.world, &[40, 41]);
    story.until_all_at(42);
    let view = story.world.rollout(42).unwrap();
    assert_eq!(view["rings"][0]["starts"], 1, "{view:#}");
    let verified = story.world.verify_events().unwrap();
    assert!(verified.ok(), "{}{}", verified.stdout, verified.stderr);
    let words = story.world.server().unwrap().words();
    assert!(!words.contains("panicked"), "{words}");
}

#[test]
fn a_server_with_its_own_file_goes_on_without_levels_that_it_knows() {
    a_server_goes_on(Story::begin(&RINGS));
}

#[test]
fn a_server_with_postgresql_goes_on_without_levels_that_it_knows() {
    let postgres = Postgres::start().unwrap();
    a_server_goes_on(Story::begin_with(&RINGS, |world| world.serve_on(&postgres.address())));
}

#[test]
fn a_level_that_everybody_left_goes_with_the_servers_word() {
    let mut story = Story::begin(&RINGS);
    for level in [40, 41] {
        story.release(level);
        story.until_all_at(u64::from(level));
    }
    // Until the ring in which nobody is has followed, whoever joins it is let to the level before.
    let followed = |story: &Story| story.world.rollout(41).unwrap()["rings"][3]["status"] == "passed";
    for _ in 0..30 {
        if !followed(&story) {
            story.pass_time(3600);
            story.round();
        }
    }
    assert!(followed(&story), "{:#}", story.world.rollout(41).unwrap());
    pruned(&story.world, &[]);
    assert_eq!(levels(&story.world), ["targets/release-pdp-2026-41.json"]);
    until_forgotten(&story.world, &[40]);
    story.release(42);
    story.until_all_at(42);
    assert!(story.world.verify_events().unwrap().ok());
}
