//! Somebody proposes while somebody else publishes: nothing is lost, no brake stands behind, and what is visible is said.

use pdp_e2e::World;
use serde_json::json;

use crate::proposals_beside::{moved_beside, plan, published, stop};

/// A brake with one signature beside a plan that is whole: the branch of the brake, and one where it is kept.
fn brake_beside_a_plan(world: &World) -> String {
    stop(world, "manager-1");
    let named = moved_beside(world);
    world.git.git("catalog", &["branch", "-m", &named, "kept"]).unwrap();
    plan(world, 1, 5, "manager-1");
    world.sign_proposal("proposals/channels-2", &world.key("manager-2")).unwrap();
    named
}

#[test]
fn a_brake_with_one_signature_holds_a_whole_plan_and_both_are_told() {
    let world = World::start().unwrap();
    let brake = brake_beside_a_plan(&world);
    world.git.git("catalog", &["branch", "-m", "kept", &brake]).unwrap();
    let done = published(&world);
    assert_eq!((&done["merged"], &done["proposedAgain"]), (&json!([]), &json!([])), "{done}");
    let why = |branch: &str| {
        let waiting = done["waiting"].as_array().unwrap().iter();
        waiting.filter(|it| it[0] == branch).map(|it| it[1].as_str().unwrap().to_owned()).next().unwrap()
    };
    assert!(why("proposals/channels-2").contains(&format!("`{brake}` STOPS something")), "{done}");
    assert!(why(&brake).contains("1 more signature(s) needed; it STOPS something"), "{done}");
    let told = world.sign_proposal("proposals/channels-2", &world.key("manager-3")).unwrap();
    assert!(told.stderr.contains("has to be signed again then"), "{}", told.stderr);
    world.sign_proposal(&brake, &world.key("manager-2")).unwrap();
    let done = published(&world);
    assert_eq!(done["merged"], json!([brake]), "{done}");
    assert_eq!(done["proposedAgain"][0]["to"], "proposals/channels-3", "{done}");
}
