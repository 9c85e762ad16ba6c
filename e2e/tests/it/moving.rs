//! An address of the vendor moves: data planes that nobody watches follow it, within what their administrator allows.

use pdp_e2e::{DataPlane, GitHost, Harm, World};
use serde_json::Value;

use crate::attack::note;

/// A vendor whose catalog lies on two Git hosts beside the customer's, and a data plane that names the old one.
pub(crate) struct House {
    pub(crate) world: World,
    pub(crate) old: GitHost,
    pub(crate) new: GitHost,
    pub(crate) plane: DataPlane,
}

impl House {
    /// At level 40.
    pub(crate) fn at_level_40() -> Self {
        let world = World::start().unwrap();
        world.release(40, "emergency").unwrap();
        world.open(40, &["general=100"]).unwrap();
        let host = |name: &str| GitHost::start(&world.path(name)).unwrap();
        let (old, new) = (host("old"), host("new"));
        let url = old.create("catalog").unwrap();
        new.create("moved/catalog").unwrap();
        let source = format!("{{git: {{url: \"{url}\", branch: catalog}}}}");
        let registry = world.registry_host();
        let plane = world.data_plane_on("acme", "prod", "general", &source, &registry, "").unwrap();
        let house = Self { world, old, new, plane };
        house.publish();
        house.pass(&[]);
        assert_eq!(house.plane.level(), Some(40), "{:#}", house.status());
        house
    }

    /// Both hosts hold what the vendor has published.
    pub(crate) fn publish(&self) {
        let files = self.world.git.files("catalog", "catalog").unwrap();
        self.old.overwrite("catalog", "catalog", &files).unwrap();
        self.new.overwrite("moved/catalog", "catalog", &files).unwrap();
    }

    /// The catalog moves, and the data plane has read of it.
    pub(crate) fn has_moved(&self) {
        self.world.move_address("catalog", &self.old.url("catalog"), &self.new.url("moved/catalog")).unwrap();
        self.publish();
        self.pass(&[]);
    }

    fn move_for_31_days(&self, from: &str, to: &str) {
        let until = pdp_e2e::rfc3339(pdp_e2e::unix_now() + 31 * 86_400);
        self.world.change_moves("catalog", &["--from", from, "--to", to, "--until", &until]).unwrap();
        self.publish();
    }

    /// The catalog is fresh then, too.
    fn days_later(&mut self, days: i64) {
        self.world.now = Some(pdp_e2e::rfc3339(pdp_e2e::unix_now() + days * 86_400));
        self.world.publish_catalog().unwrap();
        self.publish();
    }

    pub(crate) fn release(&self, level: u32) {
        self.world.release(level, "emergency").unwrap();
        self.world.open(level, &["general=100"]).unwrap();
        self.publish();
    }

    /// Artifacts come from where releases say.
    pub(crate) fn without_mirror(&self) {
        let text = std::fs::read_to_string(&self.plane.subscription).unwrap();
        let mirror = format!("  mirror: \"{}\"\n", self.world.registry_host());
        std::fs::write(&self.plane.subscription, text.replace(&mirror, "")).unwrap();
    }

    pub(crate) fn pass(&self, env: &[(&str, &str)]) -> String {
        let pass = self.plane.pass(&self.world, env).unwrap();
        pass.stdout + &pass.stderr
    }

    pub(crate) fn status(&self) -> Value {
        self.plane.status().unwrap()
    }

    /// State and reason of the only move.
    pub(crate) fn moved(&self) -> (String, Option<String>) {
        let status = self.status();
        let moves = status["moves"].as_array().unwrap();
        assert_eq!(moves.len(), 1, "{status:#}");
        let text = |field: &str| moves[0][field].as_str().map(str::to_owned);
        (text("state").unwrap(), text("reason"))
    }

    /// What `pdp-sync status` says.
    pub(crate) fn words(&self) -> String {
        let state = self.plane.state.to_string_lossy();
        let args = ["status", "--state", &state, "-o", "text"];
        self.world.run(pdp_e2e::Program::PdpSync, &args, &[]).unwrap().stdout
    }
}

fn followed() -> (String, Option<String>) {
    ("followed".to_owned(), None)
}

fn unreachable(reason: &str) -> (String, Option<String>) {
    ("unreachable".to_owned(), Some(reason.to_owned()))
}

#[test]
fn a_catalog_is_followed_to_another_host_and_the_old_one_may_vanish() {
    let house = House::at_level_40();
    house.has_moved();
    house.old.take_exchanges();
    house.pass(&[]);
    assert_eq!(house.moved(), followed(), "{:#}", house.status());
    assert!(house.old.take_exchanges().is_empty(), "the new address is enough");
    assert!(house.words().contains("name http://"), "{}", house.words());
    house.old.stop();
    house.release(41);
    house.pass(&[]);
    assert_eq!((house.plane.level(), house.moved()), (Some(41), followed()), "{:#}", house.status());

    // The overlap helps the other way round, too.
    house.old.restart().unwrap();
    house.new.stop();
    house.release(42);
    house.pass(&[]);
    assert_eq!(house.plane.level(), Some(42), "{:#}", house.status());
    assert_eq!(house.moved(), unreachable("Unreachable"));
    house.new.restart().unwrap();
    house.pass(&[]);
    assert_eq!(house.moved(), followed());
}

#[test]
fn a_move_to_a_host_that_the_administrator_doesnt_list_stays_where_it_is_and_says_so() {
    let house = House::at_level_40();
    house.has_moved();
    house.new.take_exchanges();
    let host = |url: String| url.split('/').nth(2).unwrap_or_default().to_owned();
    let (registry, old) = (house.world.registry_host(), host(house.old.url("")));
    let listed = format!("{registry},{old}");
    house.release(41);
    house.pass(&[("PDP_SYNC_ALLOWED_HOSTS", &listed)]);
    let reason = Some("MoveNotAllowed".to_owned());
    assert_eq!(house.moved(), ("notAllowed".to_owned(), reason), "{:#}", house.status());
    assert_eq!(house.plane.level(), Some(41), "the old address is asked");
    assert!(house.new.take_exchanges().is_empty(), "the new one isn't");
    let words = house.words();
    assert!(words.contains("MoveNotAllowed") && words.contains("PDP_SYNC_ALLOWED_HOSTS"), "{words}");
    let both = format!("{listed},{}", host(house.new.url("")));
    house.pass(&[("PDP_SYNC_ALLOWED_HOSTS", &both)]);
    assert_eq!(house.moved(), followed());
    note("move-to-a-host-not-listed", "MoveNotAllowed", "not followed; nothing was sent");
}

#[test]
fn an_old_address_that_has_ended_still_heals_a_wrong_move() {
    let mut house = House::at_level_40();
    let (from, to) = (house.old.url("catalog"), house.new.url("moved/catalog"));
    house.move_for_31_days(&from, &to);
    house.pass(&[]);
    house.pass(&[]);
    house.days_later(32);
    house.old.take_exchanges();
    house.pass(&[]);
    assert!(house.old.take_exchanges().is_empty(), "{:#}", house.status());
    house.new.stop();
    house.release(41);
    house.pass(&[]);
    assert_eq!((house.plane.level(), house.moved()), (Some(41), unreachable("Unreachable")));
}

#[test]
fn a_wrong_move_of_a_catalog_that_needs_a_login_is_put_right_after_its_end() {
    let mut house = House::at_level_40();
    let (from, to) = (house.old.url("catalog"), house.new.url("moved/catalog"));
    let (user, secret) = ("x-access-token".to_owned(), "read-secret".to_owned());
    house.old.require(Some(pdp_e2e::Login::Basic(user, secret.clone())));
    let login = [("PDP_SYNC_CATALOG_GIT_TOKEN", secret.as_str())];
    house.move_for_31_days(&from, &house.new.url("moved/misspelt"));
    house.pass(&login);
    house.days_later(32);
    house.pass(&login);
    assert_eq!(house.moved().0, "unreachable", "{:#}", house.status());
    house.world.change_moves("catalog", &["--drop", &from]).unwrap();
    house.world.move_address("catalog", &from, &to).unwrap();
    house.release(41);
    house.pass(&login);
    assert_eq!(house.plane.level(), Some(41), "{:#}", house.status());
    house.old.stop();
    house.release(42);
    house.pass(&login);
    assert_eq!(house.plane.level(), Some(42), "{:#}", house.status());
    assert_eq!(house.moved(), followed());
}

#[test]
fn a_move_that_was_taken_back_by_mistake_leaves_nobody_where_no_correction_arrives() {
    let house = House::at_level_40();
    house.has_moved();
    house.pass(&[]);
    house.old.stop();
    let (a, b, from) = (house.world.key("manager-1"), house.world.key("manager-2"), house.old.url("catalog"));
    let what = ["channel", "move", "--line", "pdp-2026", "--kind", "catalog", "--drop", &from];
    house.world.publisher(&[&what[..], &["--key", &a, "--key", &b]].concat()).unwrap();
    house.world.publish_catalog().unwrap();
    house.release(41);
    house.pass(&[]);
    house.release(42);
    house.pass(&[]);
    assert_eq!(house.plane.level(), Some(42), "{:#}", house.status());
    house.old.restart().unwrap();
    house.new.take_exchanges();
    house.pass(&[]);
    house.pass(&[]);
    assert!(house.new.take_exchanges().is_empty(), "the old address answers again");
}

#[test]
fn a_data_plane_that_was_off_for_two_moves_follows_both_though_one_was_taken_back() {
    for dropped in ["first", "second"] {
        let house = House::at_level_40();
        let third = GitHost::start(&house.world.path("third")).unwrap();
        third.create("catalog").unwrap();
        let (a, b, c) = (house.old.url("catalog"), house.new.url("moved/catalog"), third.url("catalog"));
        house.world.move_address("catalog", &a, &b).unwrap();
        house.world.move_address("catalog", &b, &c).unwrap();
        // The first pass reads of both at the old address, the second one finds the third host.
        let serve = |house: &House| {
            let files = house.world.git.files("catalog", "catalog").unwrap();
            third.overwrite("catalog", "catalog", &files).unwrap();
        };
        house.publish();
        serve(&house);
        house.pass(&[]);
        house.old.stop();
        house.new.stop();
        let from = if dropped == "first" { &a } else { &b };
        house.world.change_moves("catalog", &["--drop", from]).unwrap();
        for level in [41, 42] {
            house.world.release(level, "emergency").unwrap();
            house.world.open(level, &["general=100"]).unwrap();
            serve(&house);
            house.pass(&[]);
            assert_eq!(house.plane.level(), Some(level.into()), "{dropped}: {:#}", house.status());
        }
        let listed: Vec<_> = [&house.world.registry_host(), &a, &b]
            .map(|address| address.trim_start_matches("http://").split('/').next().unwrap().to_owned())
            .into();
        third.take_exchanges();
        house.pass(&[("PDP_SYNC_ALLOWED_HOSTS", &listed.join(","))]);
        assert!(third.take_exchanges().is_empty(), "{dropped}: not listed, not asked");
    }
}

#[test]
fn what_a_successor_answers_is_judged_like_anything_and_makes_nobody_deaf() {
    let house = House::at_level_40();
    let at_40 = house.world.git.files("catalog", "catalog").unwrap();
    house.has_moved();
    house.release(41);
    let mut altered = house.world.git.files("catalog", "catalog").unwrap();
    altered.get_mut("targets/channel-pdp-2026.json").unwrap().push(b' ');
    for (files, reason) in [(altered, "HashMismatch"), (at_40, "VersionFloor")] {
        house.new.overwrite("moved/catalog", "catalog", &files).unwrap();
        house.pass(&[]);
        let refused = ("refused".to_owned(), Some(reason.to_owned()));
        assert_eq!(house.moved(), refused, "{:#}", house.status());
        assert_eq!(house.plane.level(), Some(41), "{:#}", house.status());
    }
    house.new.faults().add("", "/moved/", Harm::Garbage, None);
    house.pass(&[]);
    assert_eq!(house.moved(), unreachable("Garbage"));
    house.new.faults().clear();
    // Without the old address the refusal is what counts.
    house.old.stop();
    house.pass(&[]);
    assert_eq!(house.status()["refusal"]["code"], "VersionFloor", "{:#}", house.status());
    note("successor-serves-an-older-catalog", "VersionFloor", "refused; the old address is asked");
}

#[test]
fn ring_state_is_followed_to_the_same_new_address() {
    let house = House::at_level_40();
    let (from, to) = (house.old.create("rings").unwrap(), house.new.create("rings").unwrap());
    let text = std::fs::read_to_string(&house.plane.subscription).unwrap();
    let more = format!("  instruction: {{ringState: {{git: {{url: \"{from}\", branch: ring-state}}}}}}\n");
    std::fs::write(&house.plane.subscription, text + &more).unwrap();
    house.world.move_address("catalog", &from, &to).unwrap();
    house.publish();
    house.pass(&[]);
    house.new.take_exchanges();
    house.pass(&[]);
    assert_eq!(house.moved().0, "unreachable", "nothing is published there: {:#}", house.status());
    assert!(house.new.take_exchanges().iter().any(|exchange| exchange.path.contains("rings")));
}

#[test]
fn artifacts_are_fetched_and_written_from_their_new_address() {
    let mut house = House::at_level_40();
    let (old, new) = (house.world.registry.beside().unwrap(), house.world.registry.beside().unwrap());
    let bundle = |host: &str| format!("{host}/pdp/pdp-2026");
    house.without_mirror();
    let release = |house: &mut House, level: u32| {
        let at = bundle(&old.host());
        let edited = house.world.release_with(level, "emergency", |line| {
            line.release["repository"] = at.into();
            Ok(())
        });
        edited.unwrap();
        house.world.open(level, &["general=100"]).unwrap();
        house.publish();
    };
    release(&mut house, 41);
    house.pass(&[]);
    assert_eq!(house.plane.level(), Some(41), "{:#}", house.status());
    let written = |house: &House| {
        let files = house.world.git.files("acme-prod", "main").unwrap();
        String::from_utf8_lossy(&files["pdp/cilium/oci-repository.yaml"]).into_owned()
    };
    assert!(written(&house).contains(&bundle(&old.host())));
    house
        .world
        .move_address("artifacts", &format!("{}/pdp", old.host()), &format!("{}/pdp", new.host()))
        .unwrap();
    house.publish();
    let head = house.world.git.git("acme-prod", &["rev-parse", "main"]).unwrap();
    house.pass(&[]);
    assert_eq!(house.moved(), followed(), "{:#}", house.status());
    assert_eq!(
        head,
        house.world.git.git("acme-prod", &["rev-parse", "main"]).unwrap(),
        "no level, no commit"
    );
    old.stop();
    release(&mut house, 42);
    house.pass(&[]);
    assert_eq!((house.plane.level(), house.moved()), (Some(42), followed()), "{:#}", house.status());
    let text = written(&house);
    assert!(text.contains(&bundle(&new.host())) && !text.contains(&old.host()), "{text}");
    let record = std::fs::read_to_string(house.plane.state.join("record.json")).unwrap();
    assert!(record.contains("movedTo"), "{record}");
    house.pass(&[]);
    assert_eq!(house.status()["obstacles"], serde_json::json!([]), "{:#}", house.status());
}

#[test]
fn whoever_signs_a_move_reads_both_addresses_and_nonsense_is_refused_before() {
    let world = World::start().unwrap();
    let key = world.key("manager-1");
    let run = |what: &[&str]| {
        let start = ["channel", "move", "--line", "pdp-2026", "--kind", "catalog"];
        world.run(pdp_e2e::Program::Publisher, &[&start, what, &["--key", &key]].concat(), &[]).unwrap()
    };
    let (a, b, c) = ("https://a.example/c", "https://b.example/c", "https://c.example/c");
    let too_soon = pdp_e2e::rfc3339(pdp_e2e::unix_now() + 30 * 86_400 - 60);
    for (what, words) in [
        (vec!["--from", a, "--to", a], "error[BadChannel]"),
        (vec!["--from", a, "--to", "http://127.0.0.1:3000/c"], "error[BadChannel]"),
        (vec!["--from", a, "--to", "https://u:p@b.example/c"], "is not an address"),
        (vec!["--from", a], "--to"),
        (vec!["--from", a, "--to", b, "--until", &too_soon], "error[BadMove]"),
        (vec!["--drop", a], "error[NotFound]"),
    ] {
        let refused = run(&what);
        assert!(!refused.ok() && refused.stderr.contains(words), "{words}: {}", refused.stderr);
    }
    let proposed = run(&["--from", a, "--to", b]);
    let line = format!("pdp-2026: the catalog MOVES from {a} to {b} from ");
    assert!(proposed.ok() && proposed.stderr.contains(&line), "{}", proposed.stderr);
    world.sign_proposal("proposals/channels-2", &world.key("manager-2")).unwrap();
    world.publish_catalog().unwrap();
    let twice = run(&["--from", a, "--to", c]);
    assert!(twice.stderr.contains("error[BadMove]"), "{}", twice.stderr);
    let shown = world.publisher(&["channel", "show", "--line", "pdp-2026"]).unwrap();
    assert!(shown.stdout.contains(&format!("the catalog moves from {a} to {b}")), "{}", shown.stdout);
    let dropped = run(&["--drop", a]);
    assert!(dropped.stderr.contains("TAKEN BACK"), "{}", dropped.stderr);
}
