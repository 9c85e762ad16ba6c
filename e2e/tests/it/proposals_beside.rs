//! Proposals of one role beside each other: none waits for another, none is lost, and no brake stands behind one.

use std::process::Stdio;

use pdp_e2e::{Finished, Program, World};
use serde_json::Value;

/// A level, built and signed; its folder.
pub(crate) fn built(world: &World, level: u32) -> String {
    let file = World::fixtures().join(format!("pdp-2026/{level}/release.yaml"));
    let out = world.path(&format!("level-{level}")).to_string_lossy().into_owned();
    world.publisher(&["release", "build", &file.to_string_lossy(), "--out", &out]).unwrap();
    world.publisher(&["release", "sign", &out, "--key", &world.key("artifact")]).unwrap();
    out
}

pub(crate) fn publish(world: &World, folder: &str, key: &str) -> Finished {
    world.publisher(&["release", "publish", folder, "--key", &world.key(key)]).unwrap()
}

/// The plan with one value changed, proposed by one person.
pub(crate) fn plan(world: &World, ring: usize, budget: u32, key: &str) -> Finished {
    let shown = world.publisher(&["channel", "show", "--line", "pdp-2026", "-o", "json"]).unwrap();
    let mut channel: Value = serde_json::from_str(&shown.stdout).unwrap();
    channel["plan"]["rings"][ring]["failureBudget"] = budget.into();
    let file = world.path("plan.json");
    std::fs::write(&file, channel["plan"].to_string()).unwrap();
    let (file, key) = (file.to_string_lossy().into_owned(), world.key(key));
    world.publisher(&["channel", "plan", "--file", &file, "--line", "pdp-2026", "--key", &key]).unwrap()
}

pub(crate) fn stop(world: &World, key: &str) -> Finished {
    let args = ["channel", "stop", "--line", "pdp-2026", "--reason", "looks bad", "--key", &world.key(key)];
    world.publisher(&args).unwrap()
}

fn promote(world: &World, level: &str, key: &str) -> Finished {
    let key = world.key(key);
    let args = [
        "release",
        "promote",
        level,
        "--line",
        "pdp-2026",
        "--tempo",
        "emergency",
        "--without-server",
        "--key",
    ];
    world.publisher(&[&args[..], &[&key]].concat()).unwrap()
}

pub(crate) fn published(world: &World) -> Value {
    let (snapshot, timestamp) = (world.key("snapshot"), world.key("timestamp"));
    let args = ["catalog", "publish", "--key", &snapshot, "--key", &timestamp, "-o", "json"];
    serde_json::from_str(&world.publisher(&args).unwrap().stdout).unwrap()
}

pub(crate) fn open(world: &World) -> Vec<String> {
    let list = world.publisher(&["catalog", "proposals", "list", "-o", "json"]).unwrap().stdout;
    let list: Value = serde_json::from_str(&list).unwrap();
    let items = list["items"].as_array().or(list.as_array()).unwrap();
    items.iter().map(|it| it["branch"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn channel(world: &World) -> Value {
    let shown = world.publisher(&["channel", "show", "--line", "pdp-2026", "-o", "json"]).unwrap();
    serde_json::from_str(&shown.stdout).unwrap()
}

#[test]
fn two_engineers_publish_two_levels_and_neither_waits_for_the_other() {
    let world = World::start().unwrap();
    let (first, second) = (built(&world, 40), built(&world, 41));
    publish(&world, &first, "ci");
    let beside = publish(&world, &second, "ci");
    assert!(beside.stderr.contains("`proposals/releases-2` is open, too"), "{}", beside.stderr);
    let branches = open(&world);
    assert_eq!(branches.len(), 2, "{branches:?}");
    assert!(branches[1].starts_with("proposals/releases-2-"), "{branches:?}");
    // The later one is signed first, and published: the earlier one is proposed again on top of it.
    world.sign_proposal(&branches[1], &world.key("release-1")).unwrap();
    let done = published(&world);
    assert_eq!(done["merged"], serde_json::json!([branches[1]]), "{done}");
    let again = serde_json::json!([{ "from": "proposals/releases-2", "to": "proposals/releases-3" }]);
    assert_eq!((&done["proposedAgain"], &done["waiting"]), (&again, &serde_json::json!([])), "{done}");
    assert_eq!(open(&world), ["proposals/releases-3"]);
    // Whoever proposed it runs the same command again, and joins.
    publish(&world, &first, "ci");
    publish(&world, &first, "release-2");
    assert_eq!(published(&world)["merged"], serde_json::json!(["proposals/releases-3"]));
    let list = world.publisher(&["release", "list", "--line", "pdp-2026", "-o", "json"]).unwrap().stdout;
    assert!(list.contains("\"level\": 40") && list.contains("\"level\": 41"), "{list}");
    assert!(open(&world).is_empty());
}

#[test]
fn two_engineers_who_propose_in_the_same_second_both_succeed() {
    let world = World::start().unwrap();
    let folders = [built(&world, 40), built(&world, 41)];
    let running: Vec<_> = folders
        .iter()
        .enumerate()
        .map(|(n, folder)| {
            let mut command = world.command(Program::Publisher).unwrap();
            let cache = world.path(&format!("cache-{n}"));
            command.env("XDG_CACHE_HOME", cache);
            command.args(["release", "publish", folder, "--key", &world.key("ci")]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(open(&world).len(), 2, "{:?}", open(&world));
}

#[test]
fn both_ready_at_once_are_published_one_after_the_other() {
    let world = World::start().unwrap();
    for level in [40, 41] {
        let folder = built(&world, level);
        publish(&world, &folder, "ci");
        publish(&world, &folder, "release-1");
    }
    let branches = open(&world);
    let done = published(&world);
    assert_eq!(done["merged"], serde_json::json!([branches[0]]), "{done}");
    assert_eq!(done["proposedAgain"][0]["from"], branches[1].as_str(), "{done}");
    // A signature stands for one version: it isn't taken along.
    assert_eq!(published(&world)["merged"], serde_json::json!([]));
    world.sign_proposal("proposals/releases-3", &world.key("ci")).unwrap();
    world.sign_proposal("proposals/releases-3", &world.key("release-1")).unwrap();
    assert_eq!(published(&world)["merged"], serde_json::json!(["proposals/releases-3"]));
}

#[test]
fn a_plan_that_waits_keeps_no_level_from_being_promoted_and_is_not_lost() {
    let world = World::start().unwrap();
    world.release(41, "emergency").unwrap();
    let folder = built(&world, 42);
    publish(&world, &folder, "ci");
    publish(&world, &folder, "release-1");
    published(&world);
    let version = channel_version(&world);
    plan(&world, 1, 3, "manager-1");
    promote(&world, "42", "manager-1");
    let beside = open(&world).into_iter().find(|it| it.matches('-').count() == 2).unwrap();
    world.sign_proposal(&beside, &world.key("manager-2")).unwrap();
    let done = published(&world);
    assert_eq!(done["merged"], serde_json::json!([beside]), "{done}");
    let again = format!("proposals/channels-{}", version + 2);
    assert_eq!(done["proposedAgain"][0]["to"], again.as_str(), "{done}");
    for manager in ["manager-1", "manager-3"] {
        world.sign_proposal(&again, &world.key(manager)).unwrap();
    }
    published(&world);
    let channel = channel(&world);
    assert_eq!(channel["plan"]["rings"][1]["failureBudget"], 3, "{channel}");
    assert!(channel["levels"]["42"].is_object(), "the level stays promoted: {channel}");
}

fn channel_version(world: &World) -> u64 {
    let files = world.git.files("catalog", "catalog").unwrap();
    let role: Value = serde_json::from_slice(&files["metadata/channels.json"]).unwrap();
    role["signed"]["version"].as_u64().unwrap()
}

#[test]
fn of_two_changes_of_one_value_the_later_one_says_what_stands_against_it() {
    let world = World::start().unwrap();
    plan(&world, 1, 3, "manager-1");
    plan(&world, 1, 2, "manager-2");
    world.sign_proposal("proposals/channels-2", &world.key("manager-2")).unwrap();
    let done = published(&world);
    assert_eq!(done["proposedAgain"], serde_json::json!([]), "{done}");
    let why = done["waiting"][0][1].as_str().unwrap();
    assert!(why.contains("what is published changed `plan.rings` of channel-pdp-2026.json, too"), "{why}");
    assert_eq!(channel(&world)["plan"]["rings"][1]["failureBudget"], 3);
}

#[test]
fn what_is_published_already_is_not_proposed_again() {
    let world = World::start().unwrap();
    plan(&world, 1, 3, "manager-1");
    let named = moved_beside(&world);
    world.git.git("catalog", &["branch", "-m", &named, "kept"]).unwrap();
    // Another second, and so another end: the same change, made apart.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    plan(&world, 1, 3, "manager-2");
    world.git.git("catalog", &["branch", "-m", "kept", &named]).unwrap();
    world.sign_proposal("proposals/channels-2", &world.key("manager-3")).unwrap();
    let done = published(&world);
    assert_eq!(done["proposedAgain"], serde_json::json!([{ "from": named, "to": null }]), "{done}");
    assert!(open(&world).is_empty());
}

/// Moves the first proposal of the channels' version to the name that it would have beside another one.
pub(crate) fn moved_beside(world: &World) -> String {
    let first = "proposals/channels-2";
    let shown = world.publisher(&["catalog", "proposals", "show", first, "-o", "json"]).unwrap().stdout;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let mark = &shown["digest"].as_str().unwrap()["sha256:".len()..][..12];
    let named = format!("{first}-{mark}");
    world.git.git("catalog", &["branch", "-m", first, &named]).unwrap();
    named
}

#[test]
fn what_nobody_who_holds_the_role_signed_is_neither_told_of_nor_proposed_again() {
    let world = World::start().unwrap();
    plan(&world, 1, 3, "manager-1");
    let mut files = world.git.files("catalog", "proposals/channels-2").unwrap();
    world.git.git("catalog", &["branch", "-D", "proposals/channels-2"]).unwrap();
    let mut role: Value = serde_json::from_slice(&files["metadata/channels.json"]).unwrap();
    role["signatures"] = serde_json::json!([]);
    files.insert("metadata/channels.json".into(), role.to_string().into_bytes());
    world.git.overwrite("catalog", "proposals/channels-2", &files).unwrap();
    let beside = plan(&world, 2, 4, "manager-1");
    assert!(!beside.stderr.contains("is open, too"), "{}", beside.stderr);
    let branch = open(&world).into_iter().find(|it| it.starts_with("proposals/channels-2-")).unwrap();
    world.sign_proposal(&branch, &world.key("manager-2")).unwrap();
    let done = published(&world);
    assert_eq!(done["proposedAgain"], serde_json::json!([]), "{done}");
    assert_eq!(done["waiting"][0][0], "proposals/channels-2", "{done}");
}

#[test]
fn a_brake_takes_the_place_of_all_that_lie_beside_each_other_and_nothing_goes_before_it() {
    let world = World::start().unwrap();
    plan(&world, 1, 3, "manager-1");
    plan(&world, 2, 4, "manager-1");
    assert_eq!(open(&world).len(), 2);
    stop(&world, "manager-1");
    assert_eq!(open(&world), ["proposals/channels-2"]);
    let key = world.key("manager-2");
    let file = world.path("plan.json").to_string_lossy().into_owned();
    let args = ["channel", "plan", "--file", &file, "--line", "pdp-2026", "--key", &key];
    let refused = world.run(Program::Publisher, &args, &[]).unwrap();
    assert!(refused.stderr.contains("error[ProposalCollides]"), "{}", refused.stderr);
    stop(&world, "manager-2");
    assert_eq!(published(&world)["merged"], serde_json::json!(["proposals/channels-2"]));
    assert_eq!(channel(&world)["stop"]["reason"], "looks bad");
}

#[test]
fn of_two_that_are_ready_the_brake_is_published() {
    let world = World::start().unwrap();
    stop(&world, "manager-1");
    stop(&world, "manager-2");
    let named = moved_beside(&world);
    world.git.git("catalog", &["branch", "-m", &named, "kept"]).unwrap();
    // Proposed in the same moment: the plan has the first name, the brake another.
    plan(&world, 1, 3, "manager-1");
    world.sign_proposal("proposals/channels-2", &world.key("manager-2")).unwrap();
    world.git.git("catalog", &["branch", "-m", "kept", &named]).unwrap();
    let done = published(&world);
    assert_eq!(done["merged"], serde_json::json!([named]), "{done}");
    assert_eq!(done["proposedAgain"][0]["to"], "proposals/channels-3", "{done}");
    assert_eq!(channel(&world)["stop"]["reason"], "looks bad");
}

#[test]
fn a_branch_with_the_mark_of_something_else_is_signed_and_published_by_nobody() {
    let world = World::start().unwrap();
    plan(&world, 1, 3, "manager-1");
    plan(&world, 2, 4, "manager-1");
    let branch = open(&world).into_iter().find(|it| it.starts_with("proposals/channels-2-")).unwrap();
    let other = world.git.files("catalog", "proposals/channels-2").unwrap();
    world.git.overwrite("catalog", &branch, &other).unwrap();
    let shown = world.run(Program::Publisher, &["catalog", "proposals", "show", &branch], &[]).unwrap();
    assert!(
        shown.stderr.contains("error[NotNext]") && shown.stderr.contains("was changed there"),
        "{}",
        shown.stderr
    );
    world.publisher(&["catalog", "proposals", "drop", &branch]).unwrap();
    assert_eq!(open(&world), ["proposals/channels-2"]);
}
