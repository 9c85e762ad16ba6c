//! Levels that nobody can need leave the catalog; whoever runs one goes on to the newest.

use pdp_e2e::{Finished, Program, World};
use serde_json::Value;

const LINE: [&str; 2] = ["--line", "pdp-2026"];
const OLD: [&str; 5] = ["--without-server", "--older-than", "0", "--keep", "1"];

/// `publisher channel|release prune`, signed by two of its holders.
pub(crate) fn prune(world: &World, what: &str, more: &[&str]) -> Finished {
    let holders = if what == "channel" { ["manager-1", "manager-2"] } else { ["ci", "release-1"] };
    let [first, second] = holders.map(|name| world.key(name));
    let args = [&[what, "prune"], &LINE[..], more, &["--key", &first, "--key", &second]].concat();
    world.run(Program::Publisher, &args, &[]).unwrap()
}

/// The descriptors in the catalog.
pub(crate) fn levels(world: &World) -> Vec<String> {
    let files = world.git.files("catalog", "catalog").unwrap();
    files.into_keys().filter(|path| path.starts_with("targets/release-")).collect()
}

#[test]
fn a_data_plane_on_a_pruned_level_keeps_it_and_goes_on_to_the_newest() {
    let world = World::start().unwrap();
    world.release(40, "emergency").unwrap();
    world.open(40, &["general=100"]).unwrap();
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    assert!(plane.pass(&world, &[]).unwrap().ok());
    assert_eq!(plane.level(), Some(40));
    for level in [41, 42] {
        world.release(level, "emergency").unwrap();
    }

    let unasked = prune(&world, "channel", &["--keep", "1"]);
    assert!(unasked.stderr.contains("error[ServerNeeded]"), "{}", unasked.stderr);
    let shown = prune(&world, "channel", &[&OLD[..], &["--show", "-o", "json"]].concat());
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["gone"], serde_json::json!([40, 41]), "{shown:#}");
    assert_eq!(shown["kept"]["42"][0], "newest", "{shown:#}");

    let pruned = prune(&world, "channel", &OLD);
    assert!(pruned.ok(), "{}", pruned.stderr);
    let dropped = prune(&world, "release", &[]);
    assert!(dropped.ok(), "{}", dropped.stderr);
    // Without the channel's proposal the other one waits.
    let proposal =
        world.git.git("catalog", &["for-each-ref", "--format=%(refname:short)", "refs/heads/proposals/"]);
    let proposal = proposal.unwrap();
    let channels = proposal.lines().find(|name| name.contains("channels")).unwrap();
    let commit = world.git.git("catalog", &["rev-parse", channels]).unwrap();
    world.git.git("catalog", &["update-ref", "-d", &format!("refs/heads/{channels}")]).unwrap();
    world.publish_catalog().unwrap();
    assert_eq!(levels(&world).len(), 3, "a channel never names what no release manager signs");
    world.git.git("catalog", &["update-ref", &format!("refs/heads/{channels}"), commit.trim()]).unwrap();
    world.publish_catalog().unwrap();
    assert_eq!(levels(&world), ["targets/release-pdp-2026-42.json"]);

    assert!(plane.pass(&world, &[]).unwrap().ok());
    assert_eq!(plane.level(), Some(40), "it keeps running");
    let status = plane.status().unwrap();
    assert!(status["conditions"].to_string().contains("NoLongerInChannel"), "{status:#}");
    world.open(42, &["general=100"]).unwrap();
    assert!(plane.pass(&world, &[]).unwrap().ok());
    assert_eq!(plane.level(), Some(42));

    // Nothing new takes the number of a pruned level.
    let again = world.release(41, "emergency").unwrap_err().to_string();
    assert!(again.contains("error[LevelPruned]"), "{again}");
}
