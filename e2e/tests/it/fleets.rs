//! Many simulated data planes at once, speaking the real protocol to a real server.

use pdp_e2e::fleet::{Fleet, Playing, Script};
use pdp_e2e::{World, unix_now, wait_for};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// A world with a server and level 41 open in the canary ring.
pub(crate) fn world() -> World {
    let mut world = World::start().unwrap();
    world.set_now(unix_now()).unwrap();
    world.serve().unwrap();
    world.release(41, "emergency").unwrap();
    world.wait_for_ring(41, "canary", "open").unwrap();
    world
}

pub(crate) fn until(world: &World, playing: &Playing, what: &str, condition: impl Fn(&Value) -> bool) {
    let waited = wait_for(what, || world.rollout(41).is_ok_and(|view| condition(&view)));
    assert!(waited.is_ok(), "{what}: {:?}\n{:#}", playing.counts, world.rollout(41).unwrap());
}

#[test]
fn a_wave_lets_exactly_its_cap_start_with_everything_asked_and_told_twice() {
    let (runtime, world) = (runtime(), world());
    let fleet = Fleet::enrol(&runtime, &world, &[("canary", 5, 40)]).unwrap();
    let script = Script { doubled: true, ..Script::default() };
    let playing = fleet.play(&runtime, script, None);
    until(&world, &playing, "the first wave to be through", |view| {
        view["rings"][0]["census"]["healthy"] == 1
    });
    let view = world.rollout(41).unwrap();
    assert_eq!(view["rings"][0]["starts"], 1, "{view:#}");
    assert_eq!(playing.so_far(), (1, 1, 0));
}

#[test]
fn a_bad_level_halts_in_its_first_wave_and_starts_again_only_by_two_people_and_a_retry() {
    let (runtime, world) = (runtime(), world());
    let rings = [("canary", 1, 10), ("general", 20, 10)];
    let fleet = Fleet::enrol(&runtime, &world, &rings).unwrap();
    let breaks = [(41, 100)].into();
    let playing = fleet.play(&runtime, Script { breaks, mended: true, ..Script::default() }, None);
    until(&world, &playing, "the canary ring to halt by itself", |view| {
        view["rings"][0]["phase"] == "halted"
    });
    let view = world.rollout(41).unwrap();
    assert_eq!(view["halts"][0]["cause"]["failureBudget"]["failures"], 1, "{view:#}");
    assert_eq!(playing.so_far(), (1, 0, 1), "one of 210 had the bad level");

    let (ann, bob) = (world.server().unwrap().token.clone(), world.colleague("bob@wso2").unwrap());
    let retry = json!({ "retry": {} });
    let resume = json!({ "resume": { "scope": { "ring": { "ring": "canary" } } } });
    assert_eq!(world.order(41, &ann, &retry).unwrap().1["code"], "Halted");
    assert_eq!(world.order(41, &ann, &resume).unwrap().0, 200);
    assert_eq!(world.order(41, &ann, &resume).unwrap().1["code"], "SecondPersonNeeded");
    assert_eq!(world.rollout(41).unwrap()["rings"][0]["phase"], "halted");
    assert_eq!(world.order(41, &bob, &resume).unwrap().1["rings"][0]["phase"], "open");
    assert_eq!(playing.so_far().0, 1, "nobody starts what failed there without a retry");
    assert_eq!(world.order(41, &bob, &retry).unwrap().1["attempt"], 2);
    until(&world, &playing, "the retry to be healthy", |view| view["rings"][0]["census"]["healthy"] == 1);
}

#[test]
fn the_halt_of_everything_grants_nothing_anywhere_and_takes_two_people_to_end() {
    let (runtime, world) = (runtime(), world());
    let (server, ann, bob) = (
        world.server().unwrap(),
        world.server().unwrap().token.clone(),
        world.colleague("bob@wso2").unwrap(),
    );
    let call = |path: &str, token: &str| {
        let body = json!({ "reason": "a test" }).to_string().into_bytes();
        let path = format!("/v1/everything/{path}");
        let (_, answer) = server.call(reqwest::Method::POST, &path, Some(token), Some(body)).unwrap();
        serde_json::from_str::<Value>(&answer).unwrap()
    };
    assert!(call("halt", &ann)["halted"].is_string());
    let fleet = Fleet::enrol(&runtime, &world, &[("canary", 1, 5)]).unwrap();
    let playing = fleet.play(&runtime, Script::default(), None);
    until(&world, &playing, "all to be heard", |view| view["rings"][0]["census"]["offered"] == 5);
    server.kill();
    world.start_server().unwrap();
    server.ready().unwrap();
    wait_for("the catalog to be there again", || world.rollout(41).is_ok()).unwrap();
    assert_eq!(world.rollout(41).unwrap()["braked"], "Halted", "the log knows it after a restart");
    assert_eq!(call("resume", &ann)["resumeAsked"], "token:admin@wso2");
    assert_eq!(call("resume", &ann)["code"], "SecondPersonNeeded");
    assert_eq!(playing.so_far().0, 0);
    assert!(call("resume", &bob)["halted"].is_null());
    until(&world, &playing, "the first start", |view| view["rings"][0]["starts"] == 1);
}
