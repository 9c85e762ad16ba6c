//! Caps are exact, however many ask at once.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use reqwest::Method;
use serde_json::{Value, json};

use crate::base::unix_now;

#[test]
fn sixty_four_ask_at_once_and_the_first_wave_lets_exactly_one_start() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let mut world = pdp_e2e::World::start().unwrap();
    world.serve().unwrap();
    world.organization("crowd", "canary").unwrap();
    world.release(41, "emergency").unwrap();
    world.wait_for_ring(41, "canary", "open").unwrap();
    let server = world.server().unwrap();
    let sha256 = world.sha256(41).unwrap();
    let crowd: Vec<_> = (0..64)
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
        // The one that has it gets it again; nobody else does.
        assert_eq!(granted.load(Relaxed), 1);
        assert_eq!(world.rollout(41).unwrap()["rings"][0]["starts"], 1);
    }
}
