//! Keys that direct and keys that vouch change hands: nobody goes deaf, and what was taken back counts no more.

use pdp_e2e::{Finished, Impostor, Key, Program, Registry, World};
use serde_json::Value;

use crate::director::ASSIGNMENT;
use crate::forge::{expires, sha256};
use crate::rings::Story;

fn refused(finished: &Finished, code: &str) {
    assert!(
        !finished.ok() && finished.stderr.contains(&format!("error[{code}]")),
        "{code}: {}",
        finished.stderr
    );
}

/// The server's key from now on, once it is started again.
fn give_server(world: &World, key: &str) {
    let file = world.path("director.pem");
    std::fs::remove_file(&file).unwrap();
    world.publisher(&["key", "export", key, "--out", &file.to_string_lossy()]).unwrap();
}

#[test]
fn a_director_is_handed_over_without_a_gap_and_taken_back() {
    let mut story = Story::begin(&[("wso2-lab", "canary")]);
    story.world.more_keys().unwrap();
    story.release(41);
    assert_eq!(story.round()["wso2-lab-prod"], Some(41));

    let said =
        story.world.changed_key("director", "add", &story.world.next_key("director.pub"), &[]).unwrap();
    assert!(said.contains("may direct from now on"), "{said}");
    // The old server goes on meanwhile, and starts a level.
    story.release(42);
    assert_eq!(story.round()["wso2-lab-prod"], Some(42), "{:#}", story.planes[0].status().unwrap());

    let heard = |story: &Story| {
        story.round();
        let status = story.planes[0].status().unwrap();
        assert!(status["refusal"].is_null() && status["waitingFor"].is_null(), "{status:#}");
        status["instruction"]["issued"].as_str().unwrap().to_owned()
    };
    story.pass_time(60);
    heard(&story);
    story.pass_time(60);
    let before = heard(&story);
    let old = Key::read(&story.world.path("director.pem")).unwrap();
    story.world.server().unwrap().terminate().unwrap();
    give_server(&story.world, &story.world.next_key("director.key"));
    story.world.start_server().unwrap();
    story.world.server().unwrap().ready().unwrap();
    story.pass_time(60);
    let first = heard(&story);
    assert!(first > before, "the same word by another key is news");
    let said =
        story.world.changed_key("director", "retire", &story.world.public_key("director"), &[]).unwrap();
    assert!(said.contains("is retired: nothing that it signed counts"), "{said}");
    story.pass_time(60);
    // Also while the server hasn't seen that catalog yet: the old key's word was replaced when the server was switched.
    assert!(heard(&story) >= first);

    // Whoever kept the old key says something newer: it is nobody's word.
    let impostor = Impostor::start().unwrap();
    let plane = &story.planes[0];
    let own = std::fs::read_to_string(&plane.subscription).unwrap();
    let url = story.world.server().unwrap().url();
    std::fs::write(&plane.subscription, own.replace(&url, &impostor.url())).unwrap();
    let files = story.world.git.files("catalog", "catalog").unwrap();
    let release = &files["targets/release-pdp-2026-42.json"];
    let lie = serde_json::json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "issued": expires(story.now), "expires": expires(story.now + 3600),
        "organization": "wso2-lab", "dataPlane": "prod", "ring": "canary",
        "ceiling": { "line": "pdp-2026", "level": 42, "length": release.len(), "sha256": sha256(release) },
        "minCatalog": { "channels": 1, "targets": 1 }, "pollAfter": "1m",
    });
    impostor.says("assignment", old.seal(ASSIGNMENT, &lie));
    plane.pass(&story.world, &[]).unwrap();
    let status = plane.status().unwrap().to_string();
    assert!(status.contains("SignatureThreshold"), "{status}");
}

#[test]
fn a_server_with_a_key_that_was_taken_back_says_so_and_grants_nothing() {
    let mut story = Story::begin(&[("wso2-lab", "canary")]);
    story.world.more_keys().unwrap();
    story.release(41);
    story.world.changed_key("director", "add", &story.world.next_key("director.pub"), &[]).unwrap();
    let said =
        story.world.changed_key("director", "revoke", &story.world.public_key("director"), &[]).unwrap();
    assert!(said.contains("is REVOKED: nothing it ever signed counts"), "{said}");
    let server = story.world.server().unwrap();
    let not_ready = || server.get("/readyz").is_ok_and(|(_, body)| body.contains("DirectorNotListed"));
    pdp_e2e::wait_for("the server to see that its key is taken back", not_ready).unwrap();
    assert!(server.words().contains("the catalog doesn't list this server's key"), "{}", server.words());
    let (_, metrics) = server.get("/metrics").unwrap();
    assert!(metrics.contains("pdp_channel_server_director_not_listed 1"), "{metrics}");
    assert_eq!(story.round()["wso2-lab-prod"], None);
    let status = story.planes[0].status().unwrap().to_string();
    assert!(status.contains("DirectorNotListed"), "{status}");
    let granted = server.events().unwrap().iter().any(|event| event["body"].to_string().contains("granted"));
    assert!(!granted, "a start was counted that nobody believes in");
    // With the right key it goes on where it was.
    server.terminate().unwrap();
    give_server(&story.world, &story.world.next_key("director.key"));
    story.world.start_server().unwrap();
    story.world.server().unwrap().ready().unwrap();
    story.pass_time(60);
    story.until_all_at(41);
}

#[test]
fn artifact_keys_rotate_while_one_data_plane_sleeps() {
    let world = World::start().unwrap();
    world.more_keys().unwrap();
    world.release(41, "emergency").unwrap();
    world.open(41, &["general=100"]).unwrap();
    let awake = world.data_plane("acme", "awake", "general", "").unwrap();
    let asleep = world.data_plane("acme", "asleep", "general", "").unwrap();
    for plane in [&awake, &asleep] {
        plane.pass(&world, &[]).unwrap();
        assert_eq!(plane.level(), Some(41));
    }
    let new = world.next_key("artifact.key");
    world.changed_key("artifact", "add", &world.next_key("artifact.pub"), &[]).unwrap();
    let resign = || world.publisher(&["release", "resign", "--all", "--key", &new]).unwrap().stdout;
    let signed = resign();
    assert!(signed.contains("✔ 1 level(s): ") && signed.contains(" signatures added"), "{signed}");
    assert!(resign().contains("had the signature already"));
    let said = world.changed_key("artifact", "retire", &world.public_key("artifact"), &[]).unwrap();
    assert!(said.contains("is retired: counts for levels promoted before 20"), "{said}");

    world.sign_with_next().unwrap();
    world.release(42, "emergency").unwrap();
    world.open(42, &["general=100"]).unwrap();
    awake.pass(&world, &[]).unwrap();
    assert_eq!(awake.level(), Some(42), "{:#}", awake.status().unwrap());
    let said = world.changed_key("artifact", "revoke", &world.public_key("artifact-before"), &[]).unwrap();
    assert!(said.contains("is REVOKED"), "{said}");
    world.publisher(&["release", "verify", "41", "--line", "pdp-2026"]).unwrap();
    awake.pass(&world, &[]).unwrap();
    asleep.pass(&world, &[]).unwrap();
    assert_eq!((awake.level(), asleep.level()), (Some(42), Some(42)), "{:#}", asleep.status().unwrap());
    let pinned = world
        .data_plane(
            "acme",
            "pinned",
            "general",
            "  policy: {pin: {to: {level: 41}, reason: close, expires: 2099-01-31T00:00:00Z}}\n",
        )
        .unwrap();
    pinned.pass(&world, &[]).unwrap();
    assert_eq!(pinned.level(), Some(41), "{:#}", pinned.status().unwrap());
}

#[test]
fn a_key_is_not_revoked_while_a_level_has_no_other_signature() {
    let world = World::start().unwrap();
    world.more_keys().unwrap();
    for level in [41, 42] {
        world.release(level, "emergency").unwrap();
    }
    let own = world.public_key("artifact");
    world.changed_key("artifact", "add", &world.next_key("artifact.pub"), &[]).unwrap();
    let new = world.next_key("artifact.key");
    let lost = world.change_key("artifact", "revoke", &own, &[]).unwrap();
    refused(&lost, "LevelsLost");
    assert!(lost.stderr.contains("level 41, 42 would be lost"), "{}", lost.stderr);
    world.publisher(&["release", "resign", "41", "--line", "pdp-2026", "--key", &new]).unwrap();
    let lost = world.change_key("artifact", "revoke", &own, &[]).unwrap();
    refused(&lost, "LevelsLost");
    assert!(lost.stderr.contains("error[LevelsLost]: level 42 would be lost"), "{}", lost.stderr);
    let open = world.publisher(&["catalog", "proposals", "list"]).unwrap().stdout;
    assert!(open.contains("no open proposals"), "{open}");
    let said = world.changed_key("artifact", "revoke", &own, &["--levels-lost"]).unwrap();
    assert!(said.contains("they are lost"), "{said}");
    // What nobody vouches for any more can't be brought back by signing it again.
    let args = ["release", "resign", "42", "--line", "pdp-2026", "--key", &new];
    refused(&world.run(Program::Publisher, &args, &[]).unwrap(), "UnknownSigner");
}

#[test]
fn nobody_signs_again_what_nobody_vouched_for() {
    let world = World::start().unwrap();
    world.more_keys().unwrap();
    world.release(41, "emergency").unwrap();
    world.changed_key("artifact", "add", &world.next_key("artifact.pub"), &[]).unwrap();
    // A registry that has every byte of it, and no signature.
    let registry = Registry::start().unwrap();
    let (folder, host) = (world.path("level-41").to_string_lossy().into_owned(), registry.host());
    let (ci, person) = (world.key("ci"), world.key("release-1"));
    world
        .publisher(&["release", "publish", &folder, "--registry", &host, "--key", &ci, "--key", &person])
        .unwrap();
    registry.without_referrers(true);
    let new = world.next_key("artifact.key");
    let args = ["release", "resign", "--all", "--registry", &host, "--key", &new];
    refused(&world.run(Program::Publisher, &args, &[]).unwrap(), "Unsigned");
    let verify = ["release", "verify", "41", "--line", "pdp-2026", "--registry", &host];
    refused(&world.run(Program::Publisher, &verify, &[]).unwrap(), "Unsigned");
    crate::attack::note("resign-unsigned", "Unsigned", "refused");
}

#[test]
fn a_list_is_changed_in_one_direction_and_by_its_holders() {
    let world = World::start().unwrap();
    world.more_keys().unwrap();
    let (own, new) = (world.public_key("artifact"), world.next_key("artifact.pub"));
    let director = world.next_key("director.pub");
    refused(&world.change_key("artifact", "add", &director, &[]).unwrap(), "WrongKeyType");
    refused(&world.change_key("director", "add", &new, &[]).unwrap(), "WrongKeyType");
    refused(&world.change_key("artifact", "add", &own, &[]).unwrap(), "KeyListed");
    refused(&world.change_key("artifact", "retire", &own, &[]).unwrap(), "LastActiveKey");
    refused(&world.change_key("artifact", "revoke", &own, &[]).unwrap(), "LastActiveKey");
    refused(&world.change_key("artifact", "retire", &new, &[]).unwrap(), "KeyNotListed");
    refused(&world.change_key("artifact", "retire", "00000000", &[]).unwrap(), "KeyNotListed");
    let manager = world.key("manager-1");
    let stranger = ["catalog", "artifact", "add", &new, "--key", &manager];
    refused(&world.run(Program::Publisher, &stranger, &[]).unwrap(), "KeyWithoutRole");
    world.changed_key("artifact", "add", &new, &[]).unwrap();

    let ids = world.publisher(&["key", "show", &own, "-o", "json"]).unwrap();
    let ids: Value = serde_json::from_str(&ids.stdout).unwrap();
    let id = ids[0]["id"].as_str().unwrap();
    world.changed_key("artifact", "revoke", &id[..8], &[]).unwrap();
    refused(&world.change_key("artifact", "add", &own, &[]).unwrap(), "KeyRevoked");
    refused(&world.change_key("artifact", "retire", &own, &[]).unwrap(), "KeyRevoked");
    let listed = world.publisher(&["catalog", "artifact", "list"]).unwrap().stdout;
    assert!(listed.contains(&format!("{id}  revoked")) && listed.contains("  active"), "{listed}");
    let resign = ["release", "resign", "--all", "--key", &world.key("artifact")];
    refused(&world.run(Program::Publisher, &resign, &[]).unwrap(), "KeyRevoked");
}

#[test]
fn changes_of_targets_are_made_one_after_the_other_and_two_people_join_one() {
    let world = World::start().unwrap();
    world.more_keys().unwrap();
    world.changed_key("director", "add", &world.next_key("director.pub"), &[]).unwrap();
    let alone = |verb: &str, key: &str, holder: &str| {
        let (key, holder) = (key.to_owned(), world.key(holder));
        world.run(Program::Publisher, &["catalog", "director", verb, &key, "--key", &holder], &[]).unwrap()
    };
    let old = world.public_key("director");
    assert!(alone("retire", &old, "targets-1").stdout.contains("1 more needed"));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let args =
        ["catalog", "artifact", "add", &world.next_key("artifact.pub"), "--key", &world.key("targets-2")];
    let collides = world.run(Program::Publisher, &args, &[]).unwrap();
    refused(&collides, "ProposalCollides");
    assert!(collides.stderr.contains("one after the other"), "{}", collides.stderr);
    let joined = alone("retire", &old, "targets-2");
    assert!(joined.stdout.contains("with 2 signature(s)"), "{} {}", joined.stdout, joined.stderr);
    world.publish_catalog().unwrap();
    let listed = world.publisher(&["catalog", "director", "list"]).unwrap().stdout;
    assert!(listed.contains("retired: nothing counts"), "{listed}");
}

#[test]
fn a_catalog_that_lost_a_release_is_told_as_such_and_not_as_a_proposal() {
    let world = World::start().unwrap();
    world.more_keys().unwrap();
    world.changed_key("artifact", "add", &world.next_key("artifact.pub"), &[]).unwrap();
    world.release(41, "emergency").unwrap();
    // A catalog is read whole without any release: nobody misses it before it is asked for.
    let files = world.git.files("catalog", "catalog").unwrap();
    let lost = "targets/release-pdp-2026-41.json";
    let files = files.into_iter().filter(|(path, _)| path != lost).collect();
    world.git.overwrite("catalog", "catalog", &files).unwrap();
    let resign = ["release", "resign", "--all", "--key", &world.next_key("artifact.key")];
    for finished in [
        world.run(Program::Publisher, &resign, &[]).unwrap(),
        world.change_key("artifact", "retire", &world.public_key("artifact"), &[]).unwrap(),
    ] {
        refused(&finished, "CatalogNotWhole");
        assert!(finished.stderr.contains(&format!("lists a {lost}")), "{}", finished.stderr);
        assert!(!finished.stderr.contains("proposal"), "{}", finished.stderr);
    }
}

/// The publisher without a registry of its own to look at: it goes by what releases and moves say.
fn as_moved(world: &World, args: &[&str]) -> Finished {
    let mut command = world.command(Program::Publisher).unwrap();
    let output = command.args(args).env_remove("PUBLISHER_REGISTRY").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Finished { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

#[test]
fn artifact_keys_change_after_the_registry_moved_and_after_it_is_gone() {
    let world = World::start().unwrap();
    world.more_keys().unwrap();
    let (old, new) = (world.registry.beside().unwrap(), world.registry.beside().unwrap());
    let at = format!("{}/pdp/pdp-2026", old.host());
    let release = |level: u32| {
        world.release_with(level, "emergency", |line| {
            line.release["repository"] = at.clone().into();
            Ok(())
        })
    };
    release(41).unwrap();
    world.changed_key("artifact", "add", &world.next_key("artifact.pub"), &[]).unwrap();
    let (key, own) = (world.next_key("artifact.key"), world.public_key("artifact"));
    let (a, b) = (world.key("targets-1"), world.key("targets-2"));
    let resign = ["release", "resign", "--all", "--key", &key];
    let revoke = ["catalog", "artifact", "revoke", &own, "--key", &a, "--key", &b];
    old.stop();
    let gone = as_moved(&world, &resign);
    refused(&gone, "Unreachable");
    assert!(
        gone.stderr.contains("nothing was signed: level 41") && gone.stderr.contains(&at),
        "{}",
        gone.stderr
    );
    let gone = as_moved(&world, &revoke);
    refused(&gone, "Unreachable");
    assert!(gone.stderr.contains("--levels-lost"), "{}", gone.stderr);

    let (from, to) = (format!("{}/pdp", old.host()), format!("{}/pdp", new.host()));
    world.move_address("artifacts", &from, &to).unwrap();
    refused(&as_moved(&world, &revoke), "LevelsLost");
    let signed = as_moved(&world, &resign);
    assert!(signed.ok() && signed.stdout.contains("signatures added"), "{}", signed.stderr);
    assert!(as_moved(&world, &["release", "verify", "41", "--line", "pdp-2026"]).ok());

    // The successor doesn't answer either: the key is taken back all the same, on purpose alone.
    new.stop();
    refused(&as_moved(&world, &revoke), "Unreachable");
    let revoked = as_moved(&world, &[&revoke[..], &["--levels-lost"]].concat());
    assert!(revoked.ok(), "{}", revoked.stderr);
    assert!(revoked.stderr.contains("level 41 of `pdp-2026`: the bundle: "), "{}", revoked.stderr);
    world.publish_catalog().unwrap();
    let listed = world.publisher(&["catalog", "artifact", "list"]).unwrap().stdout;
    assert!(listed.contains("revoked: nothing counts"), "{listed}");
}
