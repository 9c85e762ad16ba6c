//! Several channel servers over one database: caps hold, halts hold, and ring state is published once.

use std::time::Duration;

use pdp_e2e::{ChannelServer, World, wait_at_most};
use serde_json::{Value, json};

use crate::crowd::{Heard, payload};
use crate::replicated::{Replicated, until};

/// Whoever publishes ring state is taken for dead only after a while.
const TAKEOVER: Duration = Duration::from_secs(60);

#[test]
fn three_servers_over_one_database_let_exactly_ten_of_two_hundred_and_fifty_six_start() {
    let three = Replicated::begin(3);
    let crowd = three.crowd(256, 10);
    let mut servers = three.servers();
    for _ in 0..3 {
        assert_eq!(crowd.grants(&servers), 10);
        three.until_starts(10);
        // What one server granted, another one grants again.
        servers.rotate_left(1);
    }
    three.log_is_whole();
}

#[test]
fn a_halt_at_one_server_holds_at_all_and_ends_by_two_people_at_two_servers() {
    let three = Replicated::begin(3);
    let (crowd, ann) = (three.crowd(3, 10), three.world.server().unwrap().token.clone());
    let bob = three.world.colleague("bob@wso2").unwrap();
    let [a, b, c] = three.servers()[..] else { panic!("three servers") };
    let [halt, resume] = ["halt", "resume"].map(|it| json!({ it: { "scope": { "rollout": {} } } }));
    assert_eq!(a.order(41, &ann, &halt).unwrap().0, 200);
    for (wire, server) in crowd.wires.iter().zip([b, c, a]) {
        assert_eq!(crowd.ask(wire, server), Heard::Held("Halted".to_owned()), "at once");
    }
    let halts = |count: usize| {
        three.until_all(&format!("{count} halts"), |server| {
            server.rollout(41).is_ok_and(|view| view["halts"].as_array().map_or(0, Vec::len) == count)
        });
    };
    halts(1);
    assert_eq!(b.order(41, &ann, &resume).unwrap().0, 200);
    assert_eq!(c.order(41, &ann, &resume).unwrap().1["code"], "SecondPersonNeeded", "wherever she says it");
    assert_eq!(crowd.ask(&crowd.wires[0], a), Heard::Held("Halted".to_owned()), "one person isn't two");
    assert_eq!(c.order(41, &bob, &resume).unwrap().0, 200);
    halts(0);
    assert_eq!(crowd.grants(&three.servers()), 3);
    three.log_is_whole();
}

/// What each ring state opened that was ever published, oldest first.
fn published(world: &World) -> Vec<Value> {
    // Before the first there is no branch.
    let git = |args: &[&str]| world.git.git("ring-state", args).unwrap_or_default();
    let commits = git(&["rev-list", "--reverse", "ring-state"]);
    let file = |commit: &str| git(&["show", &format!("{commit}:ring-state-pdp-2026.dsse.json")]);
    commits.lines().map(|commit| payload(&file(commit))["levels"].clone()).collect()
}

/// Waits until the newest ring state says so of level 41 in `canary`.
fn until_published(world: &World, halted: bool) {
    let is_so = || published(world).pop().is_some_and(|it| it["41"]["rings"]["canary"]["halted"] == halted);
    wait_at_most(TAKEOVER, &format!("a ring state with halted: {halted}"), is_so).unwrap();
}

#[test]
fn ring_state_is_published_once_per_change_and_goes_on_when_its_publisher_is_killed() {
    let three = Replicated::begin(3);
    three.crowd(1, 10);
    let (ann, bob) =
        (three.world.server().unwrap().token.clone(), three.world.colleague("bob@wso2").unwrap());
    let [halt, resume] = ["halt", "resume"].map(|it| json!({ it: { "scope": { "rollout": {} } } }));
    let servers = three.servers();
    until_published(&three.world, false);
    for halting in &servers {
        assert_eq!(halting.order(41, &ann, &halt).unwrap().0, 200);
        until_published(&three.world, true);
        for (token, server) in [(&ann, servers[1]), (&bob, servers[2])] {
            assert_eq!(server.order(41, token, &resume).unwrap().0, 200);
        }
        until_published(&three.world, false);
    }
    let states = published(&three.world);
    assert!(states.windows(2).all(|pair| pair[0] != pair[1]), "each change once: {states:#?}");
    let publishes = |server: &&ChannelServer| server.words().contains("ring state published");
    let (publishing, others): (Vec<_>, Vec<_>) = servers.into_iter().partition(publishes);
    assert_eq!(publishing.len(), 1, "one of them does it for all");

    publishing[0].kill();
    assert_eq!(others[0].order(41, &ann, &halt).unwrap().0, 200);
    until_published(&three.world, true);
    until(others[1], "the halt", |server| server.rollout(41).is_ok_and(|view| view["halts"][0].is_object()));
    // Whoever takes over doesn't know what was published, and may say it once more.
    let more = published(&three.world).len() - states.len();
    assert!((1..=2).contains(&more), "{more} more");
}
