//! What the programs of an older version wrote is read by these, and they go on with it.

mod catalog;
mod enrolment;
mod event_log;
mod ring_state;
mod state;

use std::path::PathBuf;

use pdp_e2e::{DataPlane, World, wait_for};

use crate::rings::Story;

/// The folder of the first version that is kept.
fn folder() -> PathBuf {
    World::fixtures().join("frozen/55b220a")
}

fn world() -> World {
    World::frozen(&folder()).unwrap()
}

/// A data plane by the name of its folder.
fn plane(world: &World, name: &str) -> DataPlane {
    world.frozen_data_plane(&folder().join("data-planes").join(name)).unwrap()
}

/// The channel server of that time, on a copy of its SQLite file.
fn served() -> World {
    let mut world = world();
    let database = world.path("events.db");
    std::fs::copy(folder().join("channel-server/sqlite/events.db"), &database).unwrap();
    world.serve_on(&database.to_string_lossy()).unwrap();
    world
}

/// The same as a story with these data planes.
fn story(world: World, planes: &[&str]) -> Story {
    let now = pdp_e2e::frozen::clock(&world.path("clock")).unwrap();
    let planes = planes.iter().map(|name| plane(&world, name)).collect();
    Story { world, planes, now }
}

/// Publishes level 42 with today's publisher; today's server takes it up.
fn release_42(story: &Story) {
    story.world.release(42, "emergency").unwrap();
    let known = || story.world.rollout(42).is_ok_and(|view| !view["created"].is_null());
    wait_for("the server to know level 42", known).unwrap();
}
