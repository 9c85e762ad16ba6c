//! A retry all the way: the level fails at a real data plane, two people resume, and it starts the same digest again.

use pdp_e2e::{World, unix_now, wait_for};
use serde_json::json;

#[test]
fn a_data_plane_starts_a_failed_level_again_only_as_a_later_attempt() {
    let mut world = World::start().unwrap();
    let mut now = unix_now();
    world.set_now(now).unwrap();
    world.serve().unwrap();
    world.organization("wso2-lab", "canary").unwrap();
    let mended = world.path("mended");
    let probe = format!(
        "  probe: {{command: [sh, -c, 'test $PDP_LEVEL = 41 || test -e {}'], interval: 1s}}\n",
        mended.display()
    );
    let plane = world.enrolled("wso2-lab", "prod", &probe).unwrap();
    let level = |world: &World, now: &mut i64, level: u32| {
        world.release(level, "emergency").unwrap();
        world.wait_for_ring(level, "canary", "open").unwrap();
        *now += 5;
    };
    level(&world, &mut now, 41);
    let until = |world: &mut World, now: &mut i64, what: &str, done: &dyn Fn(&World) -> bool| {
        for _ in 0..10 {
            if done(world) {
                return;
            }
            *now += 30;
            world.set_now(*now).unwrap();
            plane.pass(world, &[]).unwrap();
        }
        panic!("{what}: {:#}\n{:#}", plane.status().unwrap(), world.rollout(42).unwrap_or_default());
    };
    until(&mut world, &mut now, "level 41", &|_| plane.level() == Some(41));
    level(&world, &mut now, 42);
    let halted = |world: &World| world.rollout(42).is_ok_and(|view| view["rings"][0]["phase"] == "halted");
    until(&mut world, &mut now, "level 42 to fail and halt", &halted);
    assert_eq!(plane.level(), Some(41), "it went back");

    let failed_in = |world: &World| world.rollout(42).unwrap()["rings"][0]["reasons"]["failed"].clone();
    let component = failed_in(&world);
    assert_eq!(component.as_object().map(serde_json::Map::len), Some(1), "{:#}", world.rollout(42).unwrap());

    let bob = world.colleague("bob@wso2").unwrap();
    let scope = json!({ "ring": { "ring": "canary" } });
    let ann = world.server().unwrap().token.clone();
    for (token, command) in
        [(&ann, json!({ "resume": { "scope": scope } })), (&bob, json!({ "resume": { "scope": scope } }))]
    {
        assert_eq!(world.order(42, token, &command).unwrap().0, 200);
    }
    std::fs::write(&mended, "").unwrap();
    for _ in 0..2 {
        now += 30;
        world.set_now(now).unwrap();
        plane.pass(&world, &[]).unwrap();
        assert_eq!(plane.level(), Some(41), "resumed isn't retried");
        assert_eq!(failed_in(&world), component, "it goes on telling where it failed");
    }
    assert_eq!(world.order(42, &ann, &json!({ "retry": {} })).unwrap().0, 200);
    until(&mut world, &mut now, "the second attempt", &|_| plane.level() == Some(42));
    let healthy = || world.rollout(42).is_ok_and(|view| view["rings"][0]["census"]["healthy"] == 1);
    wait_for("the server to know", healthy).unwrap();
    assert_eq!(world.rollout(42).unwrap()["attempt"], 2);
}
