//! Data planes without the server: they follow the director's ring state, from Git or from a registry.

use std::path::Path;

use pdp_e2e::wait_for;
use serde_json::json;

use crate::attack::note;
use crate::director::{RING_STATE, stolen_key};
use crate::rings::{HEALTHY, Story};

#[test]
fn ring_state_reaches_data_planes_that_the_server_never_hears_of() {
    let mut story = Story::begin(&[("wso2-lab", "canary")]);
    story.release(41);
    let git = format!(
        "  instruction: {{ringState: {{git: {{url: \"{}\", branch: ring-state}}}}}}\n{HEALTHY}",
        story.world.git.url("ring-state")
    );
    let oci = format!(
        "  instruction: {{ringState: {{oci: {{repository: {}/pdp/ring-state}}}}}}\n{HEALTHY}",
        story.world.registry.host()
    );
    let (by_git, by_oci) = (
        story.world.data_plane("quiet", "git", "canary", &git).unwrap(),
        story.world.data_plane("quiet", "oci", "canary", &oci).unwrap(),
    );
    // The first wave of `canary` counts one head: nobody without a grant is meant by it.
    assert!(by_git.pass(&story.world, &[]).unwrap().ok());
    assert_eq!(by_git.level(), None, "{:#}", by_git.status().unwrap());
    story.until_all_at(41);
    story.pass_time(16 * 60);
    // The first wave soaks from its report of health on, which may come a pass later on a busy machine.
    let opened = wait_for("the ring state to open all of canary", || {
        story.round();
        // Its share grows: each of them is let in at its own place.
        by_git.pass(&story.world, &[]).unwrap();
        by_oci.pass(&story.world, &[]).unwrap();
        story.pass_time(60);
        by_git.level() == Some(41) && by_oci.level() == Some(41)
    });
    let seen = || format!("{:#}\n{:#}", by_git.status().unwrap(), story.world.rollout(41).unwrap());
    opened.unwrap_or_else(|waited| panic!("{waited}\n{}", seen()));
    assert!(by_oci.pass(&story.world, &[]).unwrap().ok());
    assert_eq!(by_oci.level(), Some(41), "{:#}", by_oci.status().unwrap());
    let status = by_oci.status().unwrap();
    assert_eq!(status["authority"]["ringState"]["ring"], "canary", "{status:#}");
    let files = story.world.git.files("ring-state", "ring-state").unwrap();
    assert!(!String::from_utf8_lossy(&files["ring-state-pdp-2026.dsse.json"]).contains("wso2-lab"));

    // A thief at the Git host with the director's key opens a level that nobody promoted, and another content.
    let later = pdp_e2e::rfc3339(story.now + 10);
    let state = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "issued": later, "expires": pdp_e2e::rfc3339(story.now + 3600),
        "line": "pdp-2026", "levels": { "41": { "sha256": "00".repeat(32),
            "rings": { "canary": { "percent": 100, "halted": false, "attempt": 1 } } } },
    });
    let envelope = stolen_key(&story.world).seal(RING_STATE, &state);
    let files = [("ring-state-pdp-2026.dsse.json".to_owned(), envelope)].into();
    story.world.git.overwrite("ring-state", "ring-state", &files).unwrap();
    let refused = by_git.pass(&story.world, &[]).unwrap();
    let status = by_git.status().unwrap();
    assert_eq!(
        (refused.code, status["refusal"]["code"].as_str()),
        (Some(1), Some("CeilingNotInChannel")),
        "{status:#}"
    );
    note("ring-state-other-content", "CeilingNotInChannel", "refused");
}

#[test]
fn a_server_from_an_old_backup_grants_nothing_until_a_person_says_so() {
    let mut story = Story::begin(&[("wso2-lab", "canary")]);
    let backup = story.world.path("backup.db");
    let server = story.world.server().unwrap();
    server.terminate().unwrap();
    std::fs::copy(&server.database, &backup).unwrap();
    story.world.start_server().unwrap();
    story.release(41);
    story.until_all_at(41);
    let published = || story.world.git.files("ring-state", "ring-state").is_ok_and(|files| !files.is_empty());
    wait_for("ring state", published).unwrap();
    let server = story.world.server().unwrap();
    server.terminate().unwrap();
    let stale = |name: &str| std::fs::remove_file(Path::new(&server.database).with_extension(name));
    let _ = (stale("db-wal"), stale("db-shm"));
    std::fs::copy(&backup, &server.database).unwrap();
    story.world.start_server().unwrap();
    wait_for("the server to notice", || {
        server.get("/readyz").is_ok_and(|(_, body)| body.contains("LogBehind"))
    })
    .unwrap();
    assert_eq!(story.world.rollout(41).unwrap()["braked"], "Halted");
    server.terminate().unwrap();
    let restore = ["restore", "--reason", "disk broke", "--database", &server.database];
    assert!(story.world.run(pdp_e2e::Program::ChannelServer, &restore, &[]).unwrap().ok());
    story.world.start_server().unwrap();
    server.ready().unwrap();
    assert_eq!(story.world.rollout(41).unwrap()["braked"], "Halted", "what happened meanwhile isn't known");
    for token in [server.token.clone(), story.world.colleague("bob@wso2").unwrap()] {
        let body = Some(br#"{"reason":"looked at it"}"#.to_vec());
        let path = "/v1/everything/resume";
        assert_eq!(server.call(reqwest::Method::POST, path, Some(&token), body).unwrap().0, 200);
    }
    assert!(story.world.rollout(41).unwrap()["braked"].is_null());
    note("restored-old-backup", "LogBehind", "nothing granted");
}

#[test]
fn what_was_published_later_is_not_written_over_by_a_server_whose_clock_went_back() {
    let mut world = pdp_e2e::World::start().unwrap();
    let now = crate::base::unix_now();
    // Hours: nothing is believed that is dated so far ahead, but it isn't written over either.
    world.set_now(now + 7200).unwrap();
    world.serve().unwrap();
    world.organization("acme", "canary").unwrap();
    world.release(41, "emergency").unwrap();
    world.wait_for_ring(41, "canary", "open").unwrap();
    let head = |world: &pdp_e2e::World| {
        world.git.git("ring-state", &["rev-parse", "ring-state"]).unwrap_or_default()
    };
    let is_open = || {
        world
            .git
            .git("ring-state", &["show", "ring-state:ring-state-pdp-2026.dsse.json"])
            .is_ok_and(|file| crate::crowd::payload(&file)["levels"]["41"].is_object())
    };
    wait_for("ring state with level 41", is_open).unwrap();
    let (before, token) = (head(&world), world.server().unwrap().token.clone());
    world.set_now(now).unwrap();
    assert_eq!(world.order(41, &token, &json!({ "pause": {} })).unwrap().0, 200);
    let server = world.server().unwrap();
    wait_for("word that it would write over it", || server.words().contains("NewerPublished")).unwrap();
    assert_eq!(head(&world), before);
    world.set_now(now + 7500).unwrap();
    wait_for("the pause to be published", || head(&world) != before).unwrap();
    note("ring-state-clock-went-back", "NewerPublished", "not published");
}
