//! Caps are exact, however many ask at once.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use reqwest::Method;
use serde_json::{Value, json};

use crate::base::unix_now;

#[test]
fn two_hundred_and_fifty_six_ask_at_once_and_a_wave_of_ten_lets_exactly_ten_start() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let mut world = pdp_e2e::World::start().unwrap();
    world.serve().unwrap();
    world.organization("crowd", "canary").unwrap();
    world
        .plan(|plan| {
            // All of them may be in flight at once: the wave's cap is what holds.
            let plan = plan.replacen("inFlight: {count: 3}", "inFlight: {count: 256}", 1);
            plan.replacen("{count: 1}", "{count: 10}", 1)
        })
        .unwrap();
    world.release(41, "emergency").unwrap();
    world.wait_for_ring(41, "canary", "open").unwrap();
    let server = world.server().unwrap();
    let sha256 = world.sha256(41).unwrap();
    let crowd: Vec<_> = (0..256)
        .map(|n| {
            let wire = pdp_e2e::Wire::new("crowd", &format!("dp-{n}")).unwrap();
            wire.enrol(server).unwrap();
            wire
        })
        .collect();
    for _ in 0..3 {
        let granted = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for wire in &crowd {
                let (granted, sha256) = (&granted, &sha256);
                scope.spawn(move || {
                    let ready =
                        json!({ "level": 41, "sha256": sha256, "attempt": 1 }).to_string().into_bytes();
                    let (path, token) = (wire.path("ready?line=pdp-2026"), wire.token(unix_now()));
                    let (status, answer) =
                        server.call(Method::POST, &path, Some(&token), Some(ready)).unwrap();
                    assert_eq!(status, 200, "{answer}");
                    let envelope: Value = serde_json::from_str(&answer).unwrap();
                    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
                    let assignment: Value = serde_json::from_slice(&payload).unwrap();
                    if assignment["start"].is_object() {
                        granted.fetch_add(1, Relaxed);
                    } else {
                        assert_eq!(assignment["hold"], json!(["NoGrant"]), "{assignment}");
                    }
                });
            }
        });
        // Those who have it get it again; nobody else does.
        assert_eq!(granted.load(Relaxed), 10);
        assert_eq!(world.rollout(41).unwrap()["rings"][0]["starts"], 10);
    }
}

#[test]
fn all_that_is_wrong_with_a_plan_is_said_at_once_and_nothing_is_proposed() {
    let world = pdp_e2e::World::start().unwrap();
    let refused = world.plan(|plan| {
        let plan = plan.replacen("percent: 20}", "percent: 0}", 1);
        let plan = plan.replacen("minSample: 2", "minSample: 0", 1);
        let plan = plan.replacen("soak: 24h", "soak: 0s", 1);
        plan.replacen("    regulated: {opensAfter: 10d", "    regulatde: {opensAfter: 10d", 1)
    });
    let words = format!("{:#}", refused.unwrap_err());
    for part in [
        "BadPlan",
        "rings.1.waves.0",
        "rings.0.minSample",
        "tempos.normal.canary.soak",
        "tempos.normal.regulated: missing",
        "tempos.normal.regulatde: no ring",
    ] {
        assert!(words.contains(part), "{part} in {words}");
    }
    let lost = world.plan(|plan| plan.replace("early", "soon")).unwrap_err();
    assert!(format!("{lost:#}").contains("lacks `early`"), "{lost:#}");
    for wrong in ["opensAfter: -1h", "opensAfter: 99999999999999999999d", "opens: 1h"] {
        let refused = world.plan(|plan| plan.replacen("opensAfter: 4h", wrong, 1)).unwrap_err();
        assert!(format!("{refused:#}").contains("BadYaml"), "{wrong}: {refused:#}");
    }
    assert_eq!(world.git.git("catalog", &["branch", "--list", "proposals/channels-*"]).unwrap(), "");
}
