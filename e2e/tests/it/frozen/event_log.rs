//! The event log as SQLite file and as dump of PostgreSQL.

use pdp_e2e::{Postgres, World, wait_for};

use super::{folder, release_42, served, story, world};
use crate::rings::Story;

/// What `verify-events` said of it then.
fn verified(kind: &str) -> String {
    std::fs::read_to_string(folder().join("channel-server").join(kind).join("verify-events.txt")).unwrap()
}

/// The log is whole, and the events of then are its beginning.
fn begins_with_the_frozen(world: &World, kind: &str) {
    let finished = world.verify_events().unwrap();
    assert!(finished.ok(), "{}{}", finished.stdout, finished.stderr);
    let frozen = verified(kind);
    let count: usize = frozen.split(' ').nth(1).unwrap().parse().unwrap();
    let events = world.server().unwrap().events().unwrap();
    assert!(events.len() > count, "{} of {count}", events.len());
    let head = frozen.trim().rsplit(' ').next().unwrap();
    assert!(events[count - 1].to_string().contains(head), "{head} in {:#}", events[count - 1]);
}

/// What the rollout of 41 came to, and what the one of 42 adds.
fn goes_on(story: &mut Story, kind: &str) {
    let rollout = story.world.rollout(41).unwrap();
    let starts = rollout["rings"][0]["starts"].as_u64().unwrap();
    assert!(starts > 0, "who started is still known: {rollout:#}");
    story.until_all_at(41);
    let canary = |story: &Story| story.world.rollout(41).unwrap()["rings"][0].clone();
    wait_for("ring canary to have passed", || {
        story.pass_time(600);
        story.round();
        canary(story)["status"] == "passed"
    })
    .unwrap();
    let after = story.world.rollout(41).unwrap();
    assert_eq!(after["rings"][0]["starts"], starts, "nobody starts twice: {after:#}");
    release_42(story);
    story.until_all_at(42);
    begins_with_the_frozen(&story.world, kind);
}

#[test]
fn a_sqlite_file_passes_verification_and_its_rollout_goes_on() {
    let mut story = story(served(), &["applying", "done"]);
    goes_on(&mut story, "sqlite");
}

#[test]
fn a_dump_of_postgresql_passes_verification_and_its_rollout_goes_on() {
    let postgres = Postgres::start().unwrap();
    postgres.restore(&folder().join("channel-server/postgres/dump.sql")).unwrap();
    let mut world = world();
    world.set_now(pdp_e2e::frozen::clock(&folder().join("channel-server/postgres/clock")).unwrap()).unwrap();
    // The ring state that is kept is the other server's, and tells of events that this log never had.
    world.git.git("ring-state", &["update-ref", "-d", "refs/heads/ring-state"]).unwrap();
    world.serve_on(&postgres.address()).unwrap();
    let mut story = story(world, &["on-postgres"]);
    goes_on(&mut story, "postgres");
}
