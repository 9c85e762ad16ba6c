//! Proposals of people in different places: shown before they are signed, overtaken by a brake, dropped.

use pdp_e2e::{Finished, Program, World};
use serde_json::Value;

const CHANNELS: &str = "proposals/channels-2";

fn stop(world: &World, key: &str, reason: &str) -> Finished {
    let key = world.key(key);
    world.publisher(&["channel", "stop", "--line", "pdp-2026", "--reason", reason, "--key", &key]).unwrap()
}

fn shown(world: &World, branch: &str) -> Value {
    let shown = world.publisher(&["catalog", "proposals", "show", branch, "-o", "json"]).unwrap();
    serde_json::from_str(&shown.stdout).unwrap()
}

fn other_plan(world: &World) -> Finished {
    let plan = world.publisher(&["channel", "show", "--line", "pdp-2026", "-o", "json"]).unwrap();
    let mut plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    plan["plan"]["rings"][1]["failureBudget"] = 3.into();
    let file = world.path("plan.json");
    std::fs::write(&file, plan["plan"].to_string()).unwrap();
    let (file, key) = (file.to_string_lossy().into_owned(), world.key("manager-1"));
    world.publisher(&["channel", "plan", "--file", &file, "--line", "pdp-2026", "--key", &key]).unwrap()
}

#[test]
fn whoever_signs_first_sees_what_it_says_in_words_and_values() {
    let world = World::start().unwrap();
    let proposed = other_plan(&world);
    for line in ["pdp-2026: early: failure budget 5 % → 3 %", "  + plan.rings[1].failureBudget: 3"] {
        assert!(proposed.stderr.contains(line), "{line}: {}", proposed.stderr);
    }
    let shown = shown(&world, CHANNELS);
    assert_eq!(shown["words"][0], "pdp-2026: early: failure budget 5 % → 3 %");
    assert_eq!(shown["signatures"], 1);
}

#[test]
fn nobody_signs_unasked_without_the_digest_of_what_was_read() {
    let world = World::start().unwrap();
    stop(&world, "manager-1", "looks bad");
    let digest = shown(&world, CHANNELS)["digest"].as_str().unwrap().to_owned();
    let key = world.key("manager-2");
    let sign = |more: &[&str]| {
        let args = [&["catalog", "sign", CHANNELS, "--key", &key][..], more].concat();
        world.run(Program::Publisher, &args, &[]).unwrap()
    };
    for (more, code) in [
        (&[][..], "NotConfirmed"),
        (&["--yes"][..], "NotConfirmed"),
        (
            &["--expect", "sha256:0000000000000000000000000000000000000000000000000000000000000000"][..],
            "ProposalDiffers",
        ),
    ] {
        let refused = sign(more);
        assert!(refused.stderr.contains(&format!("error[{code}]")), "{more:?}: {}", refused.stderr);
        assert!(
            refused.stderr.contains("STOPPED: nothing starts anywhere (looks bad)"),
            "it is shown all the same"
        );
        assert_eq!(shown(&world, CHANNELS)["signatures"], 1, "{more:?}");
    }
    let signed = sign(&["--expect", &digest]);
    assert!(signed.ok(), "{}", signed.stderr);
    assert_eq!(shown(&world, CHANNELS)["digest"], digest.as_str(), "more signatures are no other proposal");
    world.publish_catalog().unwrap();
}

#[test]
fn the_brake_overtakes_what_a_colleague_left_open() {
    let world = World::start().unwrap();
    other_plan(&world);
    let first = stop(&world, "manager-2", "looks bad");
    assert!(first.stderr.contains("it is overtaken, its 1 signature(s) are gone"), "{}", first.stderr);
    assert_eq!(shown(&world, CHANNELS)["signatures"], 1);
    // The second one runs the same command, later, and joins.
    let second = stop(&world, "manager-3", "looks bad");
    assert!(!second.stderr.contains("overtaken"), "{}", second.stderr);
    assert_eq!(shown(&world, CHANNELS)["signatures"], 2);
    world.publish_catalog().unwrap();
    let channel = world.publisher(&["channel", "show", "--line", "pdp-2026", "-o", "json"]).unwrap();
    let channel: Value = serde_json::from_str(&channel.stdout).unwrap();
    assert_eq!(channel["stop"]["reason"], "looks bad");
    assert_eq!(channel["plan"]["rings"][1]["failureBudget"], 5, "the other change is to be proposed anew");
}

#[test]
fn a_brake_that_cannot_be_signed_takes_nothing_away() {
    let world = World::start().unwrap();
    other_plan(&world);
    let before = shown(&world, CHANNELS);
    let args = ["channel", "stop", "--line", "pdp-2026", "--reason", "looks bad", "--key", &world.key("ci")];
    let refused = world.run(Program::Publisher, &args, &[]).unwrap();
    assert_eq!(refused.error().as_deref(), Some("KeyWithoutRole"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("overtaken"), "{}", refused.stderr);
    assert_eq!(shown(&world, CHANNELS)["digest"], before["digest"]);
}

#[test]
fn what_is_no_brake_overtakes_nobody() {
    let world = World::start().unwrap();
    stop(&world, "manager-1", "looks bad");
    let args = ["channel", "stop", "--line", "pdp-2026", "--release", "--key", &world.key("manager-2")];
    let refused = world.run(Program::Publisher, &args, &[]).unwrap();
    assert!(refused.stderr.contains("error[ProposalCollides]"), "{}", refused.stderr);
}

#[test]
fn proposals_are_listed_and_dropped() {
    let world = World::start().unwrap();
    stop(&world, "manager-1", "looks bad");
    let list = || world.publisher(&["catalog", "proposals", "list"]).unwrap().stdout;
    assert!(list().contains("◎ proposals/channels-2: 1 more signature(s) needed"), "{}", list());
    world.publisher(&["catalog", "proposals", "drop", CHANNELS]).unwrap();
    assert!(list().contains("no open proposals"), "{}", list());
    let again = world.run(Program::Publisher, &["catalog", "proposals", "drop", CHANNELS], &[]).unwrap();
    assert!(again.stderr.contains("error[NotFound]"), "{}", again.stderr);
    other_plan(&world);
}

/// Lays a channels role on a branch: the current one with another version, its payload and signatures edited.
fn lay(world: &World, branch: &str, edit: impl FnOnce(&mut Value)) {
    let files = world.git.files("catalog", "catalog").unwrap();
    let mut file: Value = serde_json::from_slice(&files["metadata/channels.json"]).unwrap();
    file["signed"]["version"] = 2.into();
    edit(&mut file);
    let mut files = files.clone();
    files.insert("metadata/channels.json".into(), file.to_string().into_bytes());
    world.git.overwrite("catalog", branch, &files).unwrap();
}

/// Lays the next version of the channel on its branch, whole and with nobody's signature.
fn lay_channel(world: &World, edit: impl FnOnce(&mut Value)) {
    const CHANNEL: &str = "channel-pdp-2026.json";
    let path = format!("targets/{CHANNEL}");
    let mut files = world.git.files("catalog", "catalog").unwrap();
    let mut channel: Value = serde_json::from_slice(&files[&path]).unwrap();
    edit(&mut channel);
    let bytes = serde_json::to_vec(&channel).unwrap();
    let mut role: Value = serde_json::from_slice(&files["metadata/channels.json"]).unwrap();
    let version = role["signed"]["version"].as_u64().unwrap() + 1;
    role["signed"]["version"] = version.into();
    role["signed"]["targets"][CHANNEL] =
        serde_json::json!({ "length": bytes.len(), "hashes": { "sha256": crate::forge::sha256(&bytes) } });
    role["signatures"] = serde_json::json!([]);
    files.insert(path, bytes);
    files.insert("metadata/channels.json".into(), serde_json::to_vec(&role).unwrap());
    world.git.overwrite("catalog", &format!("proposals/channels-{version}"), &files).unwrap();
}

/// What a signer is told, without the values.
fn told(world: &World, branch: &str, more: &[&str]) -> Vec<String> {
    let args = [&["catalog", "proposals", "show", branch, "-o", "json"], more].concat();
    let shown: Value = serde_json::from_str(&world.publisher(&args).unwrap().stdout).unwrap();
    shown["words"].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

#[test]
fn whoever_signs_is_told_of_required_stops_and_of_what_readers_must_know() {
    let world = World::start().unwrap();
    lay_channel(&world, |channel| {
        channel["requiredStops"] = serde_json::json!([41]);
        channel["critical"] = serde_json::json!(["audiences"]);
    });
    let words = told(&world, CHANNELS, &[]);
    assert_eq!(words.len(), 2, "{words:?}");
    assert!(words[0].contains("whoever doesn't know `audiences` REFUSES the channel"), "{words:?}");
    assert!(words[1].contains("level 41 is a REQUIRED STOP"), "{words:?}");
    // What no data plane reads isn't silent, either.
    lay_channel(&world, |channel| channel["critical"] = serde_json::json!(["time-travel"]));
    let words = told(&world, CHANNELS, &[]);
    assert!(
        words[0].contains("every data plane would refuse it") && words[0].contains("time-travel"),
        "{words:?}"
    );
}

#[test]
fn whoever_signs_is_told_what_a_promoted_level_holds_and_for_whom_it_is() {
    let world = World::start().unwrap();
    world.release(41, "emergency").unwrap();
    let hotfix = |line: &mut pdp_e2e::Line| {
        line.release["kind"] = "hotfix".into();
        line.audience = vec!["acme".to_owned()];
        Ok(())
    };
    world.release_with(42, "emergency", hotfix).unwrap();
    let files = world.git.files("catalog", "catalog").unwrap();
    let channel: Value = serde_json::from_slice(&files["targets/channel-pdp-2026.json"]).unwrap();
    // The same promotion once more, as it was proposed.
    let promotion = channel["levels"]["42"].clone();
    lay_channel(&world, |channel| drop(channel["levels"].as_object_mut().unwrap().remove("42")));
    let role: Value = serde_json::from_slice(&files["metadata/channels.json"]).unwrap();
    let branch = format!("proposals/channels-{}", role["signed"]["version"].as_u64().unwrap() + 1);
    assert!(told(&world, &branch, &[])[0].contains("level 42 is PROMOTED NO MORE"));
    lay_channel(&world, |channel| {
        channel["levels"]["43"] = promotion.clone();
        channel["levels"]["42"]["audience"] = serde_json::json!([]);
    });
    let words = told(&world, &branch, &[]);
    assert!(
        words.iter().any(|it| it.contains("level 42 is for EVERYBODY, not for 1 organization(s) ALONE")),
        "{words:?}"
    );
    assert!(words.iter().any(|it| it.contains("level 43 is a release that NOBODY CAN SHOW")), "{words:?}");
    // The catalog names no customer: whoever signs names those that it may be for.
    let words = told(&world, &branch, &["--organization", "evil", "--organization", "acme"]);
    assert!(words.iter().any(|it| it.ends_with("not for 1 organization(s) ALONE: `acme`")), "{words:?}");
}

#[test]
fn a_promotion_is_told_by_its_release_before_that_is_published() {
    let world = World::start().unwrap();
    world.release(41, "emergency").unwrap();
    world.git.git("catalog", &["branch", "kept", "catalog"]).unwrap();
    world.release(42, "emergency").unwrap();
    let files = world.git.files("catalog", "catalog").unwrap();
    // As it was before, with what was proposed then beside it.
    world.git.git("catalog", &["branch", "-f", "catalog", "kept"]).unwrap();
    for role in ["releases", "channels"] {
        let file: Value = serde_json::from_slice(&files[&format!("metadata/{role}.json")]).unwrap();
        world
            .git
            .overwrite("catalog", &format!("proposals/{role}-{}", file["signed"]["version"]), &files)
            .unwrap();
    }
    let file: Value = serde_json::from_slice(&files["metadata/channels.json"]).unwrap();
    let words = told(&world, &format!("proposals/channels-{}", file["signed"]["version"]), &[]);
    assert!(words.iter().any(|it| it.contains("level 42 against level 41: ")), "{words:?}");
    let file: Value = serde_json::from_slice(&files["metadata/releases.json"]).unwrap();
    let words = told(&world, &format!("proposals/releases-{}", file["signed"]["version"]), &[]);
    assert!(words.iter().any(|it| it.contains("level 42 installs ")), "{words:?}");
}

#[test]
fn rubbish_on_its_branch_does_not_hold_a_brake() {
    let world = World::start().unwrap();
    for content in [&b"nonsense"[..], b"{}", b"{\"signed\": {}, \"signatures\": 1}"] {
        let rubbish = [("metadata/channels.json".to_owned(), content.to_vec())].into();
        world.git.overwrite("catalog", CHANNELS, &rubbish).unwrap();
        stop(&world, "manager-1", "looks bad");
        assert_eq!(shown(&world, CHANNELS)["signatures"], 1);
    }
}

#[test]
fn a_brake_does_not_take_the_signatures_of_another_brake() {
    let world = World::start().unwrap();
    stop(&world, "manager-1", "looks bad");
    let key = world.key("manager-2");
    let args = ["channel", "stop", "--line", "pdp-2026", "--reason", "for another reason", "--key", &key];
    let refused = world.run(Program::Publisher, &args, &[]).unwrap();
    assert!(refused.stderr.contains("error[ProposalCollides]"), "{}", refused.stderr);
    assert!(refused.stderr.contains("publisher catalog sign"), "{}", refused.stderr);
    assert_eq!(shown(&world, CHANNELS)["signatures"], 1);
}

#[test]
fn no_words_are_said_of_a_file_that_the_role_does_not_list() {
    let world = World::start().unwrap();
    lay(&world, CHANNELS, |_| {});
    let mut files = world.git.files("catalog", CHANNELS).unwrap();
    let mut channel: Value = serde_json::from_slice(&files["targets/channel-pdp-2026.json"]).unwrap();
    channel["stop"] = serde_json::json!({ "at": "2026-11-23T08:00:00Z", "reason": "never signed" });
    files.insert("targets/channel-pdp-2026.json".into(), channel.to_string().into_bytes());
    world.git.overwrite("catalog", CHANNELS, &files).unwrap();
    let shown = shown(&world, CHANNELS);
    assert_eq!(shown["words"], serde_json::json!([]), "{shown}");
}

#[test]
fn nothing_that_is_said_steers_the_terminal() {
    let world = World::start().unwrap();
    let said = stop(&world, "manager-1", "looks\u{1b}[8m bad\u{202e}");
    assert!(said.stderr.contains("STOPPED"), "{}", said.stderr);
    let words = said.stderr.lines().find(|line| line.contains("STOPPED")).unwrap();
    assert!(!words.contains(['\u{1b}', '\u{202e}']), "{words:?}");
}

#[test]
fn what_a_stranger_laid_there_is_joined_by_nobody_who_means_something_else() {
    let world = World::start().unwrap();
    let renew = || {
        let args = ["catalog", "renew", "channels", "--key", &world.key("manager-1")];
        world.run(Program::Publisher, &args, &[]).unwrap()
    };
    for expires in ["2020-01-01T00:00:00Z", "2026-12-01T00:00:00+00:00", "2099-01-01T00:00:00Z"] {
        lay(&world, CHANNELS, |file| file["signed"]["expires"] = expires.into());
        let laid = world.git.git("catalog", &["rev-parse", CHANNELS]).unwrap();
        let beside = renew();
        assert!(beside.stdout.contains("proposed on `proposals/channels-2-"), "{expires}: {}", beside.stdout);
        assert!(!beside.stderr.contains("is open, too"), "nobody's: {}", beside.stderr);
        assert_eq!(world.git.git("catalog", &["rev-parse", CHANNELS]).unwrap(), laid, "nobody signed that");
    }
    // Another version than the next is shown and signed by nobody, nor is one whose branch names another.
    for (branch, version) in [("proposals/channels-3", 3), ("proposals/channels-0", 2)] {
        lay(&world, branch, |file| file["signed"]["version"] = version.into());
        let shown = world.run(Program::Publisher, &["catalog", "proposals", "show", branch], &[]).unwrap();
        assert!(shown.stderr.contains("error[NotNext]"), "{branch}: {}", shown.stderr);
    }
}

#[test]
fn a_signature_replaces_what_somebody_wrote_in_its_place() {
    let world = World::start().unwrap();
    stop(&world, "manager-1", "looks bad");
    let mut files = world.git.files("catalog", CHANNELS).unwrap();
    let mut file: Value = serde_json::from_slice(&files["metadata/channels.json"]).unwrap();
    let other = crate::forge::Stolen::from(&world, "manager-2");
    file["signatures"].as_array_mut().unwrap().push(serde_json::json!({ "keyid": other.id, "sig": "00" }));
    files.insert("metadata/channels.json".into(), file.to_string().into_bytes());
    world.git.overwrite("catalog", CHANNELS, &files).unwrap();
    stop(&world, "manager-2", "looks bad");
    world.publish_catalog().unwrap();
    let channel = world.publisher(&["channel", "show", "--line", "pdp-2026"]).unwrap();
    assert!(channel.stdout.contains("STOPPED"), "{}", channel.stdout);
}
