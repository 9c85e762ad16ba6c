//! Before a level starts, a data plane looks for its images where nodes pull them: what isn't there is waited for, what can't be
//! asked stands in nobody's way.

use base64::{Engine, engine::general_purpose::STANDARD};
use pdp_e2e::{DataPlane, Finished, Harm, Login, Registry, World, wait_for};
use serde_json::{Value, json};

use crate::attack::note;
use crate::images::{Layout, from_layout};
use crate::publish_memory::level_with;

const CILIUM: &str = "cilium/cilium";
const LATE: &str = "team/late";
/// Of an image that the fixtures have.
const OF_FIXTURES: &str = "sha256:9d6df553f24a43f595269abb4803da4fadbbe2ae92bb2e63d01cb9f650a6d92c";
const KIND: &str = "application/vnd.oci.image.manifest.v1+json";

/// Level 40 with an image for two platforms, open to everybody.
fn with_platforms() -> (World, Layout) {
    let world = World::start().unwrap();
    let layout = Layout::new(&world);
    let out = level_with(&world, &layout.digest);
    assert_eq!(from_layout(&world, &out, &layout.folder).code, Some(0));
    world.publish_catalog().unwrap();
    world.promote(40, &["--tempo", "emergency"]).unwrap();
    world.publish_catalog().unwrap();
    world.open(40, &["general=100"]).unwrap();
    (world, layout)
}

/// Level 40 with an image that only a running program names, at this host.
fn with_late(host: &str) -> World {
    let world = World::start().unwrap();
    let late = json!({ "name": format!("{host}/{LATE}"), "digest": OF_FIXTURES, "runtime": true });
    world
        .release_with(40, "emergency", |line| {
            let images = line.component("logging-agent")?["images"].as_array_mut();
            images.expect("it has images").push(late);
            Ok(())
        })
        .unwrap();
    world.open(40, &["general=100"]).unwrap();
    world
}

fn fill(registry: &Registry) {
    let file =
        World::fixtures().join("images/blobs/sha256").join(OF_FIXTURES.strip_prefix("sha256:").unwrap());
    registry.content().put(LATE, OF_FIXTURES, KIND, &std::fs::read(file).unwrap()).unwrap();
}

fn plane(world: &World) -> DataPlane {
    world.data_plane("acme", "prod", "general", "").unwrap()
}

/// A pass that starts nothing, because of images; what it says of them.
fn waits(world: &World, plane: &DataPlane, env: &[(&str, &str)]) -> Value {
    let pass = plane.pass(world, env).unwrap();
    let status = plane.status().unwrap();
    assert_eq!((pass.code, plane.level()), (Some(0), None), "{status:#}{}", pass.stderr);
    let obstacle = status["obstacles"][0].clone();
    assert_eq!(obstacle["code"], "ImageMissing", "{status:#}{}", pass.stderr);
    assert_eq!(status["target"], 40);
    assert!(!plane.state.join("record.json").exists(), "nothing was decided");
    assert!(world.git.git(&plane.name, &["branch", "--list"]).unwrap().is_empty(), "nothing was written");
    obstacle
}

fn starts(world: &World, plane: &DataPlane, env: &[(&str, &str)]) -> Finished {
    let pass = plane.pass(world, env).unwrap();
    assert_eq!(plane.level(), Some(40), "{:#}{}", plane.status().unwrap_or_default(), pass.stderr);
    pass
}

#[test]
fn a_level_waits_for_an_image_or_a_part_of_one_and_starts_when_it_comes() {
    let (world, layout) = with_platforms();
    let (plane, content) = (plane(&world), world.registry.content());
    for lost in [&layout.digest, &layout.parts[1]] {
        let kept = content.manifest(CILIUM, lost).unwrap().unwrap();
        assert!(content.delete(CILIUM, lost).unwrap());
        let obstacle = waits(&world, &plane, &[]);
        let said = obstacle["detail"].as_str().unwrap();
        assert!(
            said.contains(&format!("{}/{CILIUM}@{lost}", world.registry.host())),
            "at the mirror: {said}"
        );
        assert_eq!(said.contains("a part of"), *lost != layout.digest, "{said}");
        assert_eq!(obstacle["owner"], "customer", "who runs the mirror fills it");
        content.put(CILIUM, lost, &kept.kind, &kept.bytes).unwrap();
    }
    // Nor does it find what it doesn't accept by its very type.
    world.registry.habits(|habits| habits.exact_types = true);
    note("image-deleted-before-a-start", "ImageMissing", "the level waits; nothing was written");
    starts(&world, &plane, &[]);
}

#[test]
fn a_mirror_with_other_bytes_under_the_name_of_an_index_does_not_have_it() {
    let (world, layout) = with_platforms();
    let plane = plane(&world);
    let list = "application/vnd.docker.distribution.manifest.list.v2+json";
    world.registry.content().put(CILIUM, &layout.digest, list, b"{\"manifests\": []}").unwrap();
    waits(&world, &plane, &[]);
    note("index-replaced-at-a-mirror", "ImageMissing", "an index of other bytes isn't the release's");
}

#[test]
fn a_place_without_the_mirror_is_asked_too_and_the_vendor_is_who_fills_it() {
    let elsewhere = Registry::start().unwrap();
    let world = with_late(&elsewhere.host());
    let plane = plane(&world);
    let obstacle = waits(&world, &plane, &[]);
    let place = format!("{}/{LATE}@{OF_FIXTURES}", elsewhere.host());
    assert!(obstacle["detail"].as_str().unwrap().contains(&place), "{obstacle}");
    fill(&elsewhere);
    starts(&world, &plane, &[]);
}

#[test]
fn who_can_not_be_asked_stands_in_nobodys_way() {
    let elsewhere = Registry::start().unwrap();
    let world = with_late(&elsewhere.host());
    let host = |harm: Option<Harm>| {
        elsewhere.faults().clear();
        harm.into_iter().for_each(|harm| elsewhere.faults().add("", "", harm, None));
    };
    for (name, harm) in [
        ("forbidden", Harm::Status(403)),
        ("page", Harm::Page),
        ("broken", Harm::Status(500)),
        ("dropped", Harm::Dropped),
    ] {
        host(Some(harm));
        let plane = world.data_plane("acme", name, "general", "").unwrap();
        let pass = starts(&world, &plane, &[]);
        assert!(
            pass.stderr.contains("nobody can tell whether its images are there"),
            "{name}: {}",
            pass.stderr
        );
    }
    host(None);
    elsewhere.stop();
    starts(&world, &world.data_plane("acme", "away", "general", "").unwrap(), &[]);
}

#[test]
fn a_login_is_for_the_registry_of_the_artifacts_alone() {
    let elsewhere = Registry::start().unwrap();
    let world = with_late(&elsewhere.host());
    let login = || Some(Login::Token("customer".to_owned(), "s3cret".to_owned()));
    world.registry.require(login());
    elsewhere.require(login());
    let auth = json!({ "auth": STANDARD.encode("customer:s3cret") });
    let config = json!({ "auths": { world.registry.host(): auth, elsewhere.host(): auth } });
    std::fs::create_dir_all(world.path(".docker")).unwrap();
    std::fs::write(world.path(".docker/config.json"), config.to_string()).unwrap();
    let plane = plane(&world);
    // The mirror is asked with its login: it has everything but this.
    let agent = world.registry.content().manifest(CILIUM, &cilium(&world)).unwrap().unwrap();
    assert!(world.registry.content().delete(CILIUM, &agent.digest).unwrap());
    waits(&world, &plane, &[]);
    world.registry.content().put(CILIUM, &agent.digest, &agent.kind, &agent.bytes).unwrap();
    starts(&world, &plane, &[]);
    assert!(!world.registry.take_logins().is_empty());
    let asked = elsewhere.take_exchanges();
    assert!(asked.iter().any(|it| it.status == 401), "{asked:?}");
    assert!(elsewhere.take_logins().is_empty(), "{asked:?}");
    note("image-at-a-host-of-its-own", "none", "asked without any login");
}

/// The digest of its image in the fixtures.
fn cilium(world: &World) -> String {
    let text = std::fs::read_to_string(world.path("line/40/release.yaml")).unwrap();
    let at = text.find("sha256:").unwrap();
    text[at..at + "sha256:".len() + 64].to_owned()
}

#[test]
fn a_host_that_the_administrator_does_not_list_is_not_asked() {
    let elsewhere = Registry::start().unwrap();
    let world = with_late(&elsewhere.host());
    let git = world.git.url("");
    let listed = [world.registry.host(), git.trim_start_matches("http://").trim_end_matches('/').to_owned()];
    starts(&world, &plane(&world), &[("PDP_SYNC_ALLOWED_HOSTS", &listed.join(","))]);
    assert_eq!(elsewhere.take_exchanges(), []);
    note("image-at-a-host-not-listed", "none", "it isn't asked");
}

#[test]
fn what_was_there_is_not_asked_for_again_while_the_level_waits() {
    let (world, layout) = with_platforms();
    let lost = world.registry.content().manifest(CILIUM, &layout.parts[0]).unwrap().unwrap();
    assert!(world.registry.content().delete(CILIUM, &lost.digest).unwrap());
    let plane = world.data_plane("acme", "prod", "general", "  interval: 1s\n").unwrap();
    let running = plane.start(&world).unwrap();
    let waits = || plane.status().is_ok_and(|status| status["obstacles"][0]["code"] == "ImageMissing");
    wait_for("the level to wait", waits).unwrap_or_else(|error| panic!("{error}: {}", running.stderr()));
    world.registry.take_exchanges();
    let observed = || plane.status().map(|status| status["observedAt"].clone()).unwrap_or_default();
    for _ in 0..2 {
        let seen = observed();
        wait_for("another pass", || observed() != seen).unwrap();
    }
    let mut asked = world.registry.take_exchanges();
    asked.retain(|it| it.method == "HEAD");
    assert!(!asked.is_empty() && asked.iter().all(|it| it.path.contains(CILIUM)), "{asked:?}");
    world.registry.content().put(CILIUM, &lost.digest, &lost.kind, &lost.bytes).unwrap();
    wait_for("level 40", || plane.level() == Some(40)).unwrap();
}
