//! A release on a bad night: the publisher dies at any step, the registry fails halfway, a password or a role is no good.

use pdp_e2e::{Harm, Program, Running, World};
use serde_json::Value;

use crate::base::unix_now;
use crate::publish::built;

fn open(world: &World) -> String {
    world.git.git("catalog", &["branch", "--list", "proposals/*"]).unwrap()
}

/// Kills the publisher where a host falls silent at this request.
fn killed(world: &World, args: &[&str], at: (&str, &'static str, &str)) {
    let (host, method, path) = at;
    let faults = if host == "git" { world.git.faults() } else { world.registry.faults() };
    faults.take_asked();
    faults.add(method, path, Harm::Silent, None);
    let mut command = world.command(Program::Publisher).unwrap();
    command.args(args);
    let mut running = Running::start(command, world.path("killed.log")).unwrap();
    let mut asked = Vec::new();
    let reached = |asked: &[String]| asked.iter().any(|it| it.starts_with(method) && it.contains(path));
    pdp_e2e::wait_for("the request", || {
        asked.extend(faults.take_asked());
        reached(&asked)
    })
    .unwrap_or_else(|e| panic!("{at:?}: {e}: {asked:?}"));
    running.kill();
    faults.clear();
}

#[test]
fn killed_at_each_step_and_run_again_it_ends_whole_and_nothing_half_is_seen() {
    let world = World::start().unwrap();
    let out = built(&world);
    let (ci, person) = (world.key("ci"), world.key("release-1"));
    let args = ["release", "publish", &out, "--key", &ci, "--key", &person];
    for at in [
        ("git", "GET", "/info/refs"),
        ("registry", "HEAD", "/blobs/"),
        ("registry", "POST", "/blobs/uploads/"),
        ("registry", "PUT", "/blobs/uploads/"),
        ("registry", "PUT", "/manifests/sha256:"),
        ("registry", "GET", "/referrers/"),
        ("registry", "PUT", "/manifests/40"),
        ("git", "POST", "/git-receive-pack"),
    ] {
        killed(&world, &args, at);
        assert!(at.1 == "POST" || open(&world).is_empty(), "{at:?}: {}", open(&world));
    }
    let args = [&args[..], &["-o", "json"]].concat();
    let done: Value = serde_json::from_str(&world.publisher(&args).unwrap().stdout).unwrap();
    assert_eq!((&done["alreadyPublished"], &done["traffic"]["blobsUploaded"]), (&false.into(), &0.into()));
    world.publish_catalog().unwrap();
    let done: Value = serde_json::from_str(&world.publisher(&args).unwrap().stdout).unwrap();
    assert_eq!(done["alreadyPublished"], true, "{done}");
    world.promote(40, &["--tempo", "emergency"]).unwrap();
    world.publish_catalog().unwrap();
    world.publisher(&["release", "verify", "40", "--line", "pdp-2026"]).unwrap();
}

#[test]
fn a_registry_that_fails_after_half_of_the_push_leaves_nothing_to_see_and_what_it_has_is_not_sent_again() {
    let world = World::start().unwrap();
    let out = built(&world);
    let args = ["release", "publish", &out, "--key", &world.key("ci"), "--key", &world.key("release-1")];
    let begun = |asked: &[String]| asked.iter().filter(|it| it.starts_with("PUT")).count();
    world.registry.faults().add("PUT", "/manifests/", Harm::Status(507), None);
    let refused = world.run(Program::Publisher, &args, &[]).unwrap();
    assert!(!refused.ok() && refused.stderr.contains("hint:"), "{}", refused.stderr);
    assert!(begun(&world.registry.faults().take_asked()) > 0);
    assert!(open(&world).is_empty(), "{}", open(&world));
    world.registry.faults().clear();
    let args = [&args[..], &["-o", "json"]].concat();
    let done: Value = serde_json::from_str(&world.publisher(&args).unwrap().stdout).unwrap();
    assert_eq!(done["traffic"]["blobsUploaded"], 0, "{done}");
}

#[test]
fn a_wrong_password_is_found_before_anybody_is_asked() {
    let world = World::start().unwrap();
    let out = built(&world);
    world.registry.faults().take_asked();
    world.git.faults().take_asked();
    let args = ["release", "publish", &out, "--key", &world.key("ci"), "--key", &world.key("release-1")];
    let refused = world.run(Program::Publisher, &args, &[("PUBLISHER_PASSWORD", "another one")]).unwrap();
    assert!(refused.stderr.contains("error[BadCredentials]"), "{}", refused.stderr);
    assert!(refused.stderr.contains("the password doesn't open it"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("another one"), "{}", refused.stderr);
    assert!(world.registry.faults().take_asked().is_empty() && world.git.faults().take_asked().is_empty());
}

#[test]
fn an_expired_role_is_named_with_the_way_out_and_a_level_is_published_all_the_same() {
    let mut world = World::start().unwrap();
    let out = built(&world);
    // Channels live for 45 days.
    world.set_now(unix_now() + 50 * 86_400).unwrap();
    let args = ["release", "publish", &out, "--key", &world.key("ci"), "--key", &world.key("release-1")];
    world.publisher(&args).unwrap();
    let (snapshot, timestamp) = (world.key("snapshot"), world.key("timestamp"));
    let publish = ["catalog", "publish", "--key", &snapshot, "--key", &timestamp];
    let told = world.publisher(&publish).unwrap();
    assert!(told.stdout.contains("proposals/releases-2"), "{}", told.stdout);
    for words in ["ROLE `channels` ENDED", "publisher catalog renew channels"] {
        assert!(told.stderr.contains(words), "{words}: {}", told.stderr);
    }
    let renew = ["catalog", "renew", "channels", "--key"];
    world
        .publisher(&[&renew[..], &[&world.key("manager-1"), "--key", &world.key("manager-2")]].concat())
        .unwrap();
    let told = world.publisher(&publish).unwrap();
    assert!(!told.stderr.contains("ENDED"), "{}", told.stderr);
}
