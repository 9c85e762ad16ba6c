//! Somebody proposes while somebody else publishes: nothing is lost, no brake stands behind, and what is visible is said.

use std::os::unix::fs::PermissionsExt;

use pdp_e2e::{Harm, Program, World};
use serde_json::{Value, json};

use crate::proposals_beside::{channel, moved_beside, open, plan, published, stop};

/// Has the Git host do something once, right after a push of a branch whose name begins so.
fn after_push(world: &World, branch: &str, git: &str) {
    let hook = world.git.path("catalog").join("hooks/post-update");
    let script = format!("#!/bin/sh\ncase \"$1\" in refs/heads/{branch}*) git {git}; rm -- \"$0\";; esac\n");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, script).unwrap();
    std::fs::set_permissions(&hook, PermissionsExt::from_mode(0o755)).unwrap();
}

/// A plan that somebody publishes as soon as something is proposed.
fn published_meanwhile(world: &World) {
    world.git.git("catalog", &["branch", "before", "catalog"]).unwrap();
    plan(world, 1, 3, "manager-1");
    plan(world, 1, 3, "manager-2");
    published(world);
    world.git.git("catalog", &["branch", "after", "catalog"]).unwrap();
    world.git.git("catalog", &["branch", "-f", "catalog", "before"]).unwrap();
    after_push(world, "proposals/", "update-ref refs/heads/catalog refs/heads/after");
}

/// A brake with one signature beside a plan that is whole: the branch of the brake, and one where it is kept.
fn brake_beside_a_plan(world: &World) -> String {
    stop(world, "manager-1");
    let named = moved_beside(world);
    world.git.git("catalog", &["branch", "-m", &named, "kept"]).unwrap();
    plan(world, 1, 3, "manager-1");
    world.sign_proposal("proposals/channels-2", &world.key("manager-2")).unwrap();
    named
}

#[test]
fn what_was_outdated_when_it_came_is_proposed_again_with_its_signature() {
    let world = World::start().unwrap();
    published_meanwhile(&world);
    let proposed = stop(&world, "manager-1");
    assert!(proposed.stdout.contains("`proposals/channels-3` with 1 signature(s)"), "{}", proposed.stdout);
    assert!(proposed.stderr.contains("proposed again on top"), "{}", proposed.stderr);
    assert_eq!(open(&world), ["proposals/channels-3"]);
    stop(&world, "manager-2");
    assert_eq!(published(&world)["merged"], json!(["proposals/channels-3"]));
    let channel = channel(&world);
    assert_eq!(channel["stop"]["reason"], "looks bad");
    assert_eq!(channel["plan"]["rings"][1]["failureBudget"], 3, "{channel}");
}

#[test]
fn what_was_outdated_when_it_came_and_changes_the_same_value_is_said_to_be() {
    let world = World::start().unwrap();
    published_meanwhile(&world);
    let file = world.path("plan.json").to_string_lossy().into_owned();
    let mut other: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    other["rings"][1]["failureBudget"] = 2.into();
    std::fs::write(&file, other.to_string()).unwrap();
    let key = world.key("manager-1");
    let args = ["channel", "plan", "--file", &file, "--line", "pdp-2026", "--key", &key];
    let refused = world.run(Program::Publisher, &args, &[]).unwrap();
    assert!(refused.stderr.contains("error[ProposalOvertaken]"), "{} {}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("`plan.rings`"), "{}", refused.stderr);
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

#[test]
fn a_brake_that_is_laid_while_a_plan_is_published_is_proposed_again_and_told_as_one() {
    let world = World::start().unwrap();
    let brake = brake_beside_a_plan(&world);
    after_push(&world, "catalog", &format!("update-ref refs/heads/{brake} refs/heads/kept"));
    let done = published(&world);
    assert_eq!(done["merged"], json!(["proposals/channels-2"]), "{done}");
    let again = json!([{ "from": brake, "to": "proposals/channels-3", "brake": true }]);
    assert_eq!(done["proposedAgain"], again, "{done}");
    assert_eq!(open(&world), ["proposals/channels-3"]);
}

#[test]
fn a_branch_that_can_not_be_deleted_afterwards_does_not_make_publishing_fail() {
    let world = World::start().unwrap();
    plan(&world, 1, 3, "manager-1");
    plan(&world, 1, 3, "manager-2");
    world.git.git("catalog", &["config", "receive.denyDeletes", "true"]).unwrap();
    let done = published(&world);
    assert_eq!(done["merged"], json!(["proposals/channels-2"]), "{done}");
    let warning = done["warnings"][0].as_str().unwrap();
    assert!(warning.contains("`proposals/channels-2` is done with, but its branch stays"), "{warning}");
    assert_eq!(channel(&world)["plan"]["rings"][1]["failureBudget"], 3);
    world.git.git("catalog", &["config", "receive.denyDeletes", "false"]).unwrap();
    world.publisher(&["catalog", "proposals", "drop", "proposals/channels-2"]).unwrap();
}

#[test]
fn a_registry_that_takes_no_copy_leaves_no_doubt_that_the_catalog_is_visible() {
    let world = World::start().unwrap();
    stop(&world, "manager-1");
    stop(&world, "manager-2");
    world.registry.faults().add("PUT", "/manifests/", Harm::Status(507), None);
    let (snapshot, timestamp) = (world.key("snapshot"), world.key("timestamp"));
    let place = format!("{}/pdp/catalog", world.registry.host());
    let args = ["catalog", "publish", "--key", &snapshot, "--key", &timestamp, "--oci", &place];
    let published = world.run(Program::Publisher, &args, &[]).unwrap();
    assert!(!published.ok(), "{}", published.stdout);
    assert!(published.stdout.contains("✔ visible now: proposals/channels-2"), "{}", published.stdout);
    assert!(published.stderr.contains("the catalog is visible in Git"), "{}", published.stderr);
}
