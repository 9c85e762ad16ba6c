//! Who holds a role changes by command: keys come, go, are replaced, and persons leave; data planes follow.

use pdp_e2e::{DataPlane, Finished, Program, World};
use serde_json::Value;

use crate::attack::note;
use crate::forge::{Stolen, bump, freshen, resign, signed};

fn run(world: &World, args: &[&str]) -> Finished {
    world.run(Program::Publisher, args, &[]).unwrap()
}

fn code(finished: &Finished) -> String {
    assert!(!finished.ok(), "{}", finished.stdout);
    finished.error().unwrap_or_else(|| panic!("{}", finished.stderr))
}

/// A new key of somebody's; gives `NAME=FILE` for the command line.
fn new_key(world: &World, name: &str) -> String {
    let file = world.key(name);
    world.publisher(&["key", "new", &file]).unwrap();
    format!("{name}={}", file.replace(".key", ".pub"))
}

fn publish(world: &World, online: [&str; 2]) -> Value {
    let (snapshot, timestamp) = (world.key(online[0]), world.key(online[1]));
    let args = ["catalog", "publish", "--key", &snapshot, "--key", &timestamp, "-o", "json"];
    serde_json::from_str(&world.publisher(&args).unwrap().stdout).unwrap()
}

fn all_merged(world: &World) {
    let published = publish(world, ["snapshot", "timestamp"]);
    assert_eq!(published["waiting"], Value::Array(vec![]), "{published}");
}

/// The names of a role's holders and how many of them must sign.
fn holders(world: &World, role: &str) -> (Vec<String>, u64) {
    let keys = world.publisher(&["catalog", "keys", "-o", "json"]).unwrap();
    let keys: Value = serde_json::from_str(&keys.stdout).unwrap();
    let found = keys["roles"].as_array().unwrap().iter().find(|it| it["role"] == role).unwrap().clone();
    let names =
        found["keys"].as_array().unwrap().iter().map(|key| key["holder"].as_str().unwrap().to_owned());
    let mut names: Vec<_> = names.collect();
    names.sort();
    (names, found["threshold"].as_u64().unwrap())
}

fn change(world: &World, args: &[&str], keys: [&str; 2]) -> Finished {
    let keys = keys.map(|key| world.key(key));
    let all = [&["catalog"], args, &["--key", &keys[0], "--key", &keys[1]]].concat();
    run(world, &all)
}

fn done(finished: &Finished) {
    assert!(finished.ok(), "{}", finished.stderr);
}

fn is_followed(plane: &DataPlane, world: &World) {
    plane.pass(world, &[]).unwrap();
    assert_eq!(plane.status().unwrap()["catalog"]["state"], "fresh", "{}", plane.name);
}

#[test]
fn a_root_waits_for_as_many_signatures_as_its_old_and_its_new_holders_still_owe() {
    let world = World::start().unwrap();
    let threshold = change(&world, &["root", "threshold", "3"], ["root-1", "root-2"]);
    done(&threshold);
    let sign = |branch: &str, key: &str| {
        let expect = digest(&world, branch);
        done(&run(&world, &["catalog", "sign", branch, "--expect", &expect, "--key", &world.key(key)]));
    };
    sign("proposals/root-2", "root-3");
    all_merged(&world);
    // All three of the old root and all three of the new one: four keys, of which two have signed.
    let new = new_key(&world, "dora");
    let rotated = change(&world, &["root", "rotate", "root-1", &new], ["root-2", "root-3"]);
    done(&rotated);
    assert!(rotated.stdout.contains("; 2 more needed"), "{}", rotated.stdout);
    for (key, left) in [("root-1", "2 more"), ("dora", "1 more")] {
        let pending = publish(&world, ["snapshot", "timestamp"]);
        assert!(pending["waiting"][0][1].as_str().unwrap().starts_with(left), "{pending}");
        sign("proposals/root-3", key);
    }
    all_merged(&world);
}

#[test]
fn keys_come_and_go_in_every_role_and_data_planes_follow() {
    let world = World::start().unwrap();
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    is_followed(&plane, &world);
    let (roots, targets) = (["root-1", "root-2"], ["targets-1", "targets-2"]);
    done(&change(&world, &["root", "add-key", &new_key(&world, "dora")], roots));
    all_merged(&world);
    assert_eq!(
        holders(&world, "root"),
        (["dora", "root-1", "root-2", "root-3"].map(str::to_owned).to_vec(), 2)
    );
    done(&change(&world, &["root", "remove-key", "root-3", "--threshold", "3"], ["root-1", "dora"]));
    let pending = publish(&world, ["snapshot", "timestamp"]);
    assert!(pending["waiting"][0][1].as_str().unwrap().starts_with("1 more signature"), "{pending}");
    let branch = pending["waiting"][0][0].as_str().unwrap();
    let third = world.key("root-2");
    done(&run(
        &world,
        &["catalog", "sign", branch, "--yes", "--expect", &digest(&world, branch), "--key", &third],
    ));
    all_merged(&world);
    assert_eq!(holders(&world, "root"), (["dora", "root-1", "root-2"].map(str::to_owned).to_vec(), 3));
    for (role, key) in [("releases", "release-2"), ("channels", "manager-3")] {
        let (new, name) = (new_key(&world, &format!("next-{role}")), format!("next-{role}"));
        done(&change(&world, &[role, "rotate", key, &new], targets));
        all_merged(&world);
        let (names, _) = holders(&world, role);
        assert!(names.contains(&name) && !names.contains(&key.to_owned()), "{names:?}");
    }
    done(&change(&world, &["channels", "threshold", "3"], targets));
    let lacking = publish(&world, ["snapshot", "timestamp"]);
    assert!(lacking["waiting"][0][1].as_str().unwrap().contains("catalog renew channels"), "{lacking}");
    let all = ["manager-1", "manager-2", "next-channels"].map(|key| world.key(key));
    done(&run(
        &world,
        &["catalog", "renew", "channels", "--key", &all[0], "--key", &all[1], "--key", &all[2]],
    ));
    all_merged(&world);
    assert_eq!(holders(&world, "channels").1, 3);
    is_followed(&plane, &world);
    assert_eq!(
        world.data_plane("acme", "new", "general", "").map(|plane| is_followed(&plane, &world)).ok(),
        Some(())
    );
}

fn digest(world: &World, branch: &str) -> String {
    let shown = world.publisher(&["catalog", "proposals", "show", branch, "-o", "json"]).unwrap();
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    shown["digest"].as_str().unwrap().to_owned()
}

#[test]
fn the_keys_of_snapshot_and_timestamp_are_replaced_and_the_old_ones_sign_nothing_more() {
    let world = World::start().unwrap();
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    is_followed(&plane, &world);
    let next = new_key(&world, "next-timestamp");
    let file = next.split_once('=').unwrap().1.to_owned();
    let rotated = change(&world, &["timestamp", "rotate", "timestamp", &file], ["root-2", "root-3"]);
    done(&rotated);
    assert!(rotated.stderr.contains("signed by another key then"), "{}", rotated.stderr);
    assert!(rotated.stderr.contains("timestamp: `timestamp` (key"), "{}", rotated.stderr);
    let waits = publish(&world, ["snapshot", "timestamp"]);
    assert_eq!(waits["merged"], Value::Array(vec![]), "{waits}");
    let merged = publish(&world, ["snapshot", "next-timestamp"]);
    assert_eq!(merged["merged"].as_array().unwrap().len(), 1, "{merged}");
    is_followed(&plane, &world);
    let (snapshot, old) = (world.key("snapshot"), world.key("timestamp"));
    assert_eq!(
        code(&run(&world, &["catalog", "refresh", "--key", &snapshot, "--key", &old])),
        "KeyWithoutRole"
    );
    let spare = world.key("timestamp-spare");
    done(&run(&world, &["catalog", "refresh", "--key", &snapshot, "--key", &spare]));
    is_followed(&plane, &world);
}

#[test]
fn a_stolen_key_is_revoked_at_once_and_its_signature_counts_for_nothing() {
    let world = World::start().unwrap();
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    is_followed(&plane, &world);
    done(&change(&world, &["channels", "remove-key", "manager-1"], ["targets-1", "targets-2"]));
    done(&change(&world, &["renew", "channels"], ["manager-2", "manager-3"]));
    all_merged(&world);
    is_followed(&plane, &world);
    assert_eq!(code(&change(&world, &["renew", "channels"], ["manager-1", "manager-2"])), "KeyWithoutRole");
    let proposals = world.publisher(&["catalog", "proposals", "list"]).unwrap();
    assert!(proposals.stdout.contains("no open proposals"), "{}", proposals.stdout);
}

#[test]
fn a_person_leaves_all_roles_by_one_command() {
    let world = World::prepare(Default::default(), false).unwrap();
    let ceremony = crate::people::found(&world);
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    is_followed(&plane, &world);
    let key = |person: &str, seat: &str| ceremony.key(person, seat);
    let signers =
        [key("alice", "root"), key("carol", "root"), key("alice", "targets"), key("carol", "targets")];
    let args: Vec<_> = signers.iter().flat_map(|key| ["--key", key]).collect();
    done(&run(&world, &[&["catalog", "person", "remove", "bob"][..], &args].concat()));
    let online = [key("online", "snapshot"), key("online", "timestamp")];
    let publish = ["catalog", "publish", "--key", &online[0], "--key", &online[1], "-o", "json"];
    // The channels are signed by Alice and Carol, too; the releases lack nobody either: `ci` signed them.
    let published: Value = serde_json::from_str(&world.publisher(&publish).unwrap().stdout).unwrap();
    assert_eq!(published["waiting"], Value::Array(vec![]), "{published}");
    for role in ["root", "targets", "releases", "channels"] {
        let (names, _) = holders(&world, role);
        assert!(names.len() == 2 && !names.contains(&"bob".to_owned()), "{role}: {names:?}");
    }
    is_followed(&plane, &world);
    // Two are left of two that must sign: the next one can only be replaced.
    let left = run(&world, &[&["catalog", "person", "remove", "carol"][..], &args].concat());
    assert_eq!(code(&left), "ThresholdAboveKeys");
    assert_eq!(
        code(&run(&world, &[&["catalog", "person", "remove", "bob"][..], &args].concat())),
        "NotFound"
    );
}

#[test]
fn what_would_leave_a_role_unsafe_or_unsignable_is_refused_and_nothing_is_proposed() {
    let world = World::start().unwrap();
    let (roots, targets) = (["root-1", "root-2"], ["targets-1", "targets-2"]);
    let manager = format!("x={}", world.key("manager-1").replace(".key", ".pub"));
    let director = format!("x={}", world.key("director").replace(".key", ".pub"));
    let artifact = format!("x={}", world.key("artifact").replace(".key", ".pub"));
    let twice = new_key(&world, "fresh").replace("fresh=", "root-1=");
    let (private, absent) = (format!("x={}", world.key("fresh")), "x=/nowhere.pub");
    let second = new_key(&world, "second");
    for (args, keys, expected) in [
        (&["channels", "threshold", "4"][..], targets, "ThresholdAboveKeys"),
        (&["channels", "threshold", "1"], targets, "ThresholdTooLow"),
        (&["channels", "threshold", "2"], targets, "NoChange"),
        (&["timestamp", "threshold", "2"], roots, "ThresholdNotOne"),
        (&["artifact", "add", &manager[2..]], targets, "KeyInUse"),
        (&["targets", "remove-key", "targets-1"], roots, "ThresholdAboveKeys"),
        (&["root", "add-key", &manager], roots, "KeyInUse"),
        (&["channels", "add-key", &manager], targets, "KeyInUse"),
        (&["channels", "add-key", &director], targets, "KeyInUse"),
        (&["releases", "add-key", &artifact], targets, "KeyInUse"),
        (&["root", "add-key", &second, &second], roots, "KeyInUse"),
        (&["root", "add-key", &twice], roots, "PersonTwice"),
        (&["root", "add-key", &private], roots, "BadCredentials"),
        (&["root", "add-key", absent], roots, "NotFound"),
        (&["root", "remove-key", "nobody"], roots, "NotFound"),
        (&["timestamp", "remove-key", "timestamp", "timestamp-spare"], roots, "ThresholdAboveKeys"),
        (&["root", "add-key", &second], targets, "KeyWithoutRole"),
        (&["channels", "threshold", "3"], roots, "KeyWithoutRole"),
    ] {
        assert_eq!(code(&change(&world, args, keys)), expected, "{args:?}");
    }
    let proposals = world.publisher(&["catalog", "proposals", "list"]).unwrap();
    assert!(proposals.stdout.contains("no open proposals"), "{}", proposals.stdout);
    // Two at once: the second one collides instead of taking the first one's signatures.
    done(&change(&world, &["root", "add-key", &second], roots));
    let third = new_key(&world, "third");
    assert_eq!(code(&change(&world, &["root", "rotate", "root-3", &third], roots)), "ProposalCollides");
    // The same again adds a signature.
    done(&change(&world, &["root", "add-key", &second], ["root-2", "root-3"]));
}

/// Everything of a folder, into another one.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        match from.is_dir() {
            true => copy(&from, &to),
            false => drop(std::fs::copy(from, to).unwrap()),
        }
    }
}

#[test]
fn ed25519_keys_that_were_written_as_pem_sign_until_they_are_replaced() {
    let mut world = World::prepare(Default::default(), false).unwrap();
    world.now = Some("2026-11-29T07:00:00Z".into());
    copy(&World::fixtures().join("frozen/3be48cb/ed25519"), &world.path("vendor"));
    let catalog = world.path("vendor/catalog").to_string_lossy().into_owned();
    world.publisher(&["catalog", "init", &catalog]).unwrap();
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    is_followed(&plane, &world);
    world.now = Some("2026-11-29T08:00:00Z".into());
    for (role, old, by) in [
        ("root", "root-1", ["root-2", "root-3"]),
        ("channels", "manager-1", ["targets-1", "targets-2"]),
        ("timestamp", "timestamp", ["root-2", "root-3"]),
    ] {
        let new = new_key(&world, &format!("next-{role}"));
        done(&change(&world, &[role, "rotate", old_id(&world, old).as_str(), &new], by));
        if role == "channels" {
            done(&change(&world, &["renew", "channels"], ["manager-2", "manager-3"]));
        }
        let timestamp = if role == "timestamp" { "next-timestamp" } else { "timestamp" };
        assert_eq!(publish(&world, ["snapshot", timestamp])["waiting"], Value::Array(vec![]));
        is_followed(&plane, &world);
    }
    assert_eq!(
        code(&change(
            &world,
            &["root", "add-key", &format!("x={}", world.key("root-2").replace(".key", ".pub"))],
            ["root-2", "root-3"]
        )),
        "KeyInUse"
    );
}

/// As a person names a key of a catalog that doesn't say who holds it.
fn old_id(world: &World, name: &str) -> String {
    world.key(name).replace(".key", ".pub")
}

/// What one holder of targets pushes as a proposal.
fn hostile(world: &World, edit: impl FnOnce(&mut Value)) -> String {
    let mut files = world.git.files("catalog", "catalog").unwrap();
    let mut file: Value = serde_json::from_slice(&files["metadata/targets.json"]).unwrap();
    bump(&mut file["signed"]);
    edit(&mut file["signed"]);
    let thief = Stolen::from(world, "targets-1");
    files.insert("metadata/targets.json".to_owned(), signed(&file["signed"], &[&thief]));
    files.retain(|name, _| name == "metadata/targets.json");
    world.git.overwrite("catalog", "proposals/targets-2", &files).unwrap();
    let second = world.key("targets-2");
    let signing = ["catalog", "sign", "proposals/targets-2", "--yes", "--key", &second];
    let refused = run(world, &signing);
    assert!(!refused.stdout.contains('✔'), "{}", refused.stdout);
    code(&refused)
}

#[test]
fn a_key_that_stands_under_anothers_id_is_signed_by_nobody_and_followed_by_nobody() {
    note(
        "a key under a colleague's id",
        "DuplicateKey",
        "two holders of targets list another key as a manager's",
    );
    let world = World::start().unwrap();
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    is_followed(&plane, &world);
    let own = Stolen::own().listed;
    let swap = |targets: &mut Value| {
        let id = targets["delegations"]["roles"][1]["keyids"][1].as_str().unwrap().to_owned();
        targets["delegations"]["keys"][id] = own.clone();
    };
    assert_eq!(hostile(&world, swap), "KeyUnderOtherId");
    // And were both of them stolen, no data plane takes it.
    let mut files = world.git.files("catalog", "catalog").unwrap();
    let thieves = ["targets-1", "targets-2"].map(|name| Stolen::from(&world, name));
    resign(&mut files, "metadata/targets.json", &[&thieves[0], &thieves[1]], |targets| {
        bump(targets);
        swap(targets);
    });
    let [snapshot, timestamp] = ["snapshot", "timestamp"].map(|name| Stolen::from(&world, name));
    freshen(&mut files, pdp_e2e::unix_now(), &snapshot, &timestamp);
    world.git.overwrite("catalog", "catalog", &files).unwrap();
    let pass = plane.pass(&world, &[]).unwrap();
    assert!(pass.stdout.contains("DuplicateKey"), "{}", pass.stdout);
}

#[test]
fn a_complete_proposal_that_no_data_plane_takes_keeps_no_other_from_being_published() {
    let world = World::start().unwrap();
    let [t1, t2] = ["targets-1", "targets-2"].map(|name| Stolen::from(&world, name));
    let mut files = world.git.files("catalog", "catalog").unwrap();
    let mut file: Value = serde_json::from_slice(&files["metadata/targets.json"]).unwrap();
    bump(&mut file["signed"]);
    let wrong = Stolen::own().listed;
    file["signed"]["delegations"]["keys"]["00"] = wrong;
    files.insert("metadata/targets.json".to_owned(), signed(&file["signed"], &[&t1, &t2]));
    files.retain(|name, _| name == "metadata/targets.json");
    world.git.overwrite("catalog", "proposals/targets-2", &files).unwrap();
    done(&change(&world, &["renew", "channels"], ["manager-1", "manager-2"]));
    let published = publish(&world, ["snapshot", "timestamp"]);
    assert_eq!(published["merged"], serde_json::json!(["proposals/channels-2"]), "{published}");
    assert!(
        published["waiting"][0][1].as_str().unwrap().starts_with("no data plane would take it"),
        "{published}"
    );
}
