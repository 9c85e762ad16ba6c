//! Many simulated data planes at once, speaking the real protocol to a real server.

use pdp_e2e::World;
use pdp_e2e::fleet::{Fleet, Script};
use pdp_e2e::wait_for;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// A world with a server and level 41 open in the canary ring.
fn world() -> World {
    let mut world = World::start().unwrap();
    world.set_now(pdp_e2e::unix_now()).unwrap();
    world.serve().unwrap();
    world.release(41, "emergency").unwrap();
    world.wait_for_ring(41, "canary", "open").unwrap();
    world
}

#[test]
fn a_wave_lets_exactly_its_cap_start_with_everything_asked_and_told_twice() {
    let (runtime, world) = (runtime(), world());
    let fleet = Fleet::enrol(&runtime, &world, &[("canary", 5, 40)]).unwrap();
    let script = Script { doubled: true, ..Script::default() };
    let playing = fleet.play(&runtime, script, None);
    let waited = wait_for("the first wave to be through", || playing.so_far().1 == 1);
    assert!(waited.is_ok(), "{:?}\n{:#}", playing.counts, world.rollout(41).unwrap());
    let view = world.rollout(41).unwrap();
    assert_eq!(view["rings"][0]["starts"], 1, "{view:#}");
    assert_eq!(view["rings"][0]["census"]["healthy"], 1, "{view:#}");
    assert_eq!(playing.so_far(), (1, 1, 0));
}
