//! What anybody who may push a branch lays beside people's proposals: it holds nobody, and nothing is taken from it.

use pdp_e2e::{Finished, Program, World};
use serde_json::{Value, json};

use crate::forge::{Stolen, resign};
use crate::proposals_beside::{built, channel, moved_beside, open, plan, publish, published, stop};

/// Takes all signatures off a proposal's role.
fn unsign(world: &World, branch: &str, role: &str) {
    let mut files = world.git.files("catalog", branch).unwrap();
    let path = format!("metadata/{role}.json");
    let mut file: Value = serde_json::from_slice(&files[&path]).unwrap();
    file["signatures"] = json!([]);
    files.insert(path, file.to_string().into_bytes());
    world.git.overwrite("catalog", branch, &files).unwrap();
}

fn add_key(world: &World, args: &[&str], key: &str) -> Finished {
    let key = world.key(key);
    let all = [&["catalog"], args, &["--key", &key]].concat();
    world.run(Program::Publisher, &all, &[]).unwrap()
}

#[test]
fn a_brake_that_was_published_once_and_released_is_in_nobodys_way_when_it_is_laid_there_again() {
    let world = World::start().unwrap();
    stop(&world, "manager-1");
    stop(&world, "manager-2");
    world.git.git("catalog", &["branch", "kept", "proposals/channels-2"]).unwrap();
    published(&world);
    for manager in ["manager-1", "manager-2"] {
        let key = world.key(manager);
        world.publisher(&["channel", "stop", "--line", "pdp-2026", "--release", "--key", &key]).unwrap();
    }
    published(&world);
    for branch in ["proposals/channels-4", "proposals/channels-4-0123456789ab"] {
        world.git.git("catalog", &["branch", branch, "kept"]).unwrap();
    }
    let mut before = open(&world);
    plan(&world, 1, 3, "manager-1");
    let laid = open(&world).into_iter().find(|it| !before.contains(it)).unwrap();
    world.sign_proposal(&laid, &world.key("manager-2")).unwrap();
    let done = published(&world);
    assert_eq!((&done["merged"], &done["proposedAgain"]), (&json!([laid]), &json!([])), "{done}");
    assert_eq!(channel(&world)["stop"], Value::Null);
    before.sort();
    assert_eq!(open(&world), before, "nobody's is left where it lies");
}

#[test]
fn a_brake_that_nobody_who_may_has_signed_holds_no_whole_plan() {
    let world = World::start().unwrap();
    stop(&world, "manager-1");
    unsign(&world, "proposals/channels-2", "channels");
    let named = moved_beside(&world);
    plan(&world, 1, 3, "manager-1");
    world.sign_proposal("proposals/channels-2", &world.key("manager-2")).unwrap();
    let done = published(&world);
    assert_eq!(done["merged"], json!(["proposals/channels-2"]), "{done}");
    assert_eq!(done["waiting"][0][0], named.as_str(), "{done}");
}

#[test]
fn a_change_of_holders_that_no_holder_has_signed_keeps_nobody_from_proposing_one() {
    let world = World::start().unwrap();
    let mut files = world.git.files("catalog", "catalog").unwrap();
    let own = Stolen::own();
    resign(&mut files, "metadata/targets.json", &[&own], |targets| targets["version"] = 2.into());
    world.git.overwrite("catalog", "proposals/targets-2", &files).unwrap();
    // A root that lists the stranger's key is signed by that: by one of its own holders, and none of today's.
    let root = files["metadata/1.root.json"].clone();
    files.insert("metadata/2.root.json".into(), root);
    resign(&mut files, "metadata/2.root.json", &[&own], |root| {
        root["version"] = 2.into();
        root["keys"][&own.id] = own.listed.clone();
        root["roles"]["root"]["keyids"].as_array_mut().unwrap().push(own.id.clone().into());
    });
    world.git.overwrite("catalog", "proposals/root-2", &files).unwrap();
    let second = world.key("second");
    world.publisher(&["key", "new", &second]).unwrap();
    let second = format!("second={}", second.replace(".key", ".pub"));
    for (args, key, role) in [
        (&["root", "add-key", &second][..], "root-1", "root"),
        (&["artifact", "add", &second["second=".len()..]][..], "targets-1", "targets"),
    ] {
        let proposed = add_key(&world, args, key);
        assert!(proposed.stdout.contains(&format!("`proposals/{role}-2-")), "{role}: {}", proposed.stderr);
    }
    // What a holder has signed is: there is one of these at a time.
    let other = add_key(&world, &["root", "threshold", "3"], "root-1");
    assert!(other.stderr.contains("error[ProposalCollides]"), "{} {}", other.stdout, other.stderr);
}

#[test]
fn a_level_is_promoted_from_no_proposal_that_nobody_of_releases_has_signed() {
    let world = World::start().unwrap();
    let folder = built(&world, 41);
    publish(&world, &folder, "ci");
    let signed = world.git.files("catalog", "proposals/releases-2").unwrap();
    unsign(&world, "proposals/releases-2", "releases");
    let promote = || {
        let key = world.key("manager-1");
        let args = ["release", "promote", "41", "--line", "pdp-2026", "--without-server", "--key", &key];
        world.run(Program::Publisher, &args, &[]).unwrap()
    };
    let refused = promote();
    assert!(refused.stderr.contains("error[ReleaseUnsigned]"), "{} {}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("proposals/releases-2"), "{}", refused.stderr);
    assert_eq!(open(&world), ["proposals/releases-2"]);
    world.git.overwrite("catalog", "proposals/releases-2", &signed).unwrap();
    let promoted = promote();
    assert!(promoted.ok(), "{}", promoted.stderr);
}
