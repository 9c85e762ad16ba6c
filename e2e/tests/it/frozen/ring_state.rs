//! The director's ring state in its envelope.

use serde_json::Value;

use super::{folder, plane, world};

fn envelope() -> Vec<u8> {
    std::fs::read(folder().join("ring-state/ring-state-pdp-2026.dsse.json")).unwrap()
}

#[test]
fn a_data_plane_that_kept_it_follows_it_on() {
    let world = world();
    let plane = plane(&world, "ring-state");
    let frozen = plane.status().unwrap();
    assert!(plane.pass(&world, &[]).unwrap().ok());
    let status = plane.status().unwrap();
    for field in ["level", "authority", "instruction"] {
        assert_eq!(status[field], frozen[field], "{field}: {status:#}");
    }
    assert!(status["waitingFor"].is_null() && status["refusal"].is_null(), "{status:#}");
}

#[test]
fn a_new_data_plane_is_let_to_what_it_opens() {
    let world = world();
    let plane = plane(&world, "ring-state");
    // Nothing but the subscription: the level is permitted, and then the empty registry is asked for it.
    std::fs::remove_dir_all(&plane.state).unwrap();
    world.git.git(&plane.name, &["update-ref", "-d", "refs/heads/main"]).unwrap();
    plane.pass(&world, &[]).unwrap();
    let kept: Value =
        serde_json::from_slice(&std::fs::read(plane.state.join("instruction.json")).unwrap()).unwrap();
    assert_eq!(kept["envelope"].as_str().unwrap().as_bytes(), envelope());
    let (file, state) = (plane.subscription.to_string_lossy(), plane.state.to_string_lossy());
    let args = ["plan", "--subscription", &file, "--state", &state];
    let plan = world.run(pdp_e2e::Program::PdpSync, &args, &[]).unwrap();
    assert!(plan.stdout.contains("level 41 would be written"), "{}{}", plan.stdout, plan.stderr);
}
