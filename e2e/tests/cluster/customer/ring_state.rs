//! A data plane without the server: the director's signed ring state opens levels, and a halt holds.

use pdp_e2e::cluster::{SubscriptionState, shared};
use pdp_e2e::{Key, World, rfc3339, unix_now};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::plane::Plane;
use crate::scenario::Scenario;

const RING_STATE: &str = "application/vnd.wso2.pdp.ring-state.v1+json";

/// Publishes ring state `second` seconds from now: the later one counts.
fn publish(world: &World, level: u32, halted: bool, second: i64) {
    let pem = world.path("director.pem");
    if !pem.exists() {
        world.publisher(&["key", "export", &world.key("director"), "--out", &pem.to_string_lossy()]).unwrap();
    }
    let release = std::fs::read(world.path(&format!("level-{level}/release-pdp-2026-{level}.json"))).unwrap();
    let ring = json!({ "percent": 100, "halted": halted, "attempt": 1 });
    let state = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "issued": rfc3339(unix_now() + second),
        "expires": rfc3339(unix_now() + 86_400), "line": "pdp-2026",
        "levels": { level.to_string(): { "sha256": hex::encode(Sha256::digest(release)), "rings": { "general": ring } } },
    });
    let envelope = Key::read(&pem).unwrap().seal(RING_STATE, &state);
    let files = [("ring-state-pdp-2026.dsse.json".to_owned(), envelope)].into();
    world.git.overwrite("ring-state", "ring-state", &files).unwrap();
}

#[test]
fn ring_state_opens_levels_and_a_halt_holds() {
    let cluster = shared();
    let _scenario = Scenario::begin("ring state: opens a level without the server, a halted one holds");
    let plane = Plane::at_41(&cluster, "ring-state", |_| Ok(()));
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let url = plane.world.git.create("ring-state").unwrap();
    let source = json!({ "ringState": { "git": { "url": url, "branch": "ring-state" } } });
    subscription.patch(&json!({ "spec": { "instruction": source } })).unwrap();
    // The ring's time has come, but the channel itself opens it to nobody.
    plane.world.open(42, &["general=0"]).unwrap();
    let closed = |state: &SubscriptionState| {
        state.obstacles() == ["RingNotOpenYet"]
            && state.is("InstructionUnavailable")
            && state.target() == Some(42)
    };
    subscription.until(pdp_sync, "no ring state to open nothing", closed).unwrap();
    publish(&plane.world, 42, true, 0);
    let halted =
        |state: &SubscriptionState| state.obstacles() == ["Halted"] && state.reason("Blocked") == "Halted";
    subscription.until(pdp_sync, "the halt to hold", halted).unwrap();
    let state = subscription.state();
    assert_eq!(state.status("obstacles")[0]["owner"], "vendor");
    assert_eq!(state.status("instruction")["by"], "ringState");
    assert!(state.level() == Some(41) && !state.is("InstructionUnavailable"), "{}", subscription.describe());
    publish(&plane.world, 42, false, 1);
    let begun = |state: &SubscriptionState| {
        state.status("target")["authority"]["ringState"]["ring"] == "general" || state.level() == Some(42)
    };
    subscription.until(pdp_sync, "the ring state to open level 42", begun).unwrap();
    subscription.until_level(pdp_sync, 42).unwrap();
}
