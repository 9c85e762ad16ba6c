//! Attacks with moves: by who may not sign them, and by who holds the new address.

use pdp_e2e::{Collector, Forwarder, World};
use serde_json::{Value, json};

use crate::attack::{Attack, note};
use crate::forge::{Stolen, freshen, list};
use crate::moving::House;

const CHANNEL: &str = "targets/channel-pdp-2026.json";
/// The customer's secrets: of who may push, of who may read the catalog, of who may pull.
const SECRETS: [&str; 3] = ["push-secret", "read-secret", "pull-secret"];

/// The channel with a move of the victim's catalog to the collector.
fn moved(attack: &Attack, collector: &Collector) -> Vec<u8> {
    let world = &attack.base.world;
    let mut channel: Value = serde_json::from_slice(&attack.base.at_42[CHANNEL]).unwrap();
    let since = pdp_e2e::rfc3339(pdp_e2e::unix_now() - 60);
    let until = pdp_e2e::rfc3339(pdp_e2e::unix_now() + 86_400);
    channel["moves"] = json!([{
        "kind": "catalog", "from": world.git.url(attack.catalog_repository()),
        "to": format!("http://{}/catalog", collector.host()), "since": since, "until": until,
    }]);
    serde_json::to_vec(&channel).unwrap()
}

/// Neither this pass nor the next one asks the attacker's host.
fn is_not_followed(attack: &Attack, collector: &Collector) {
    attack.serve(&attack.base.at_41);
    attack.data_plane.pass(&attack.base.world, &[]).unwrap();
    assert_eq!(collector.requests(), Vec::<String>::new());
    assert!(!attack.data_plane.state.join("moves.json").exists(), "nothing is remembered");
}

#[test]
fn a_move_in_a_channel_that_was_altered() {
    let attack = Attack::on_level_41("move-in-an-altered-channel");
    let collector = Collector::start().unwrap();
    let mut files = attack.base.at_42.clone();
    files.insert(CHANNEL.into(), moved(&attack, &collector));
    attack.serve(&files);
    attack.is_refused_with("HashMismatch");
    is_not_followed(&attack, &collector);
}

#[test]
fn a_move_that_one_manager_signs_with_the_ci_machine() {
    let attack = Attack::on_level_41("move-signed-by-one-manager");
    let collector = Collector::start().unwrap();
    let key = |name| Stolen::from(&attack.base.world, name);
    let mut files = attack.base.at_42.clone();
    let channel = moved(&attack, &collector);
    list(&mut files, "channels", "channel-pdp-2026.json", &channel, &[&key("manager-1"), &key("ci")]);
    freshen(&mut files, pdp_e2e::unix_now(), &key("snapshot"), &key("timestamp"));
    attack.serve(&files);
    attack.is_refused_with("SignatureThreshold");
    is_not_followed(&attack, &collector);
}

/// A pass with all three secrets at hand; Docker's config has the old registry's login.
fn pass_with_secrets(house: &House) -> String {
    let docker = house.world.path("docker");
    std::fs::create_dir_all(&docker).unwrap();
    let login = format!(r#"{{"username": "puller", "password": "{}"}}"#, SECRETS[2]);
    let auths = format!(r#"{{"auths": {{"{}": {login}}}}}"#, house.world.registry_host());
    std::fs::write(docker.join("config.json"), auths).unwrap();
    house.pass(&[
        ("PDP_SYNC_GIT_TOKEN", SECRETS[0]),
        ("PDP_SYNC_CATALOG_GIT_TOKEN", SECRETS[1]),
        ("DOCKER_CONFIG", docker.to_str().unwrap()),
    ])
}

fn collected(collector: &Collector) -> Vec<&'static str> {
    SECRETS.into_iter().filter(|secret| collector.has(secret)).collect()
}

#[test]
fn the_new_address_of_a_catalog_collects_no_login_of_the_old_one() {
    let house = House::at_level_40();
    let collector = Collector::start().unwrap();
    let to = format!("http://{}/catalog", collector.host());
    house.world.move_address("catalog", &house.old.url("catalog"), &to).unwrap();
    house.publish();
    house.old.require(Some(pdp_e2e::Login::Basic("x-access-token".into(), SECRETS[1].into())));
    let first = pass_with_secrets(&house);
    assert!(collector.requests().is_empty(), "not known before: {first}");
    let told = pass_with_secrets(&house);
    assert!(!collector.requests().is_empty(), "{told}");
    assert_eq!(collected(&collector), Vec::<&str>::new(), "{:#?}", collector.requests());
    assert_eq!(house.moved(), ("unreachable".to_owned(), Some("LoginNeeded".to_owned())));
    house.release(41);
    pass_with_secrets(&house);
    assert_eq!(house.plane.level(), Some(41), "{:#}", house.status());
    assert_eq!(collected(&collector), Vec::<&str>::new());
    note("successor-that-collects-logins", "LoginNeeded", "refused; it found no secret");
}

#[test]
fn whoever_gets_the_name_of_an_old_address_gets_no_login() {
    let mut house = House::at_level_40();
    let collector = Collector::start().unwrap();
    let (from, old) = (format!("http://{}/catalog", collector.host()), house.old.url("catalog"));
    house.world.move_address("catalog", &from, &house.new.url("moved/catalog")).unwrap();
    house.publish();
    house.pass(&[]);
    let text = std::fs::read_to_string(&house.plane.subscription).unwrap();
    std::fs::write(&house.plane.subscription, text.replace(&old, &from)).unwrap();
    house.pass(&[]);
    assert!(collector.requests().is_empty(), "the successor has a fresh catalog");
    house.new.stop();
    house.world.now = Some(pdp_e2e::rfc3339(pdp_e2e::unix_now() + 731 * 86_400));
    let told = pass_with_secrets(&house);
    assert!(!collector.requests().is_empty(), "{told}");
    assert_eq!(collected(&collector), Vec::<&str>::new(), "{:#?}", collector.requests());
    house.world.now = None;
    pass_with_secrets(&house);
    assert_eq!(
        collected(&collector),
        ["read-secret"],
        "while the vendor keeps it, it is the subscription's own"
    );
    note("old-address-in-other-hands", "LoginNeeded", "refused; it found no secret");
}

#[test]
fn the_new_address_of_a_server_gets_no_enrolment_token() {
    let mut world = World::start().unwrap();
    world.serve().unwrap();
    world.organization("acme", "general").unwrap();
    let (url, collector) = (world.server().unwrap().url(), Collector::start().unwrap());
    let plane = world.enrolled("acme", "prod", "").unwrap();
    let token = std::fs::read_to_string(world.path("acme-prod.token")).unwrap();
    world.move_address("server", &url, &format!("http://{}", collector.host())).unwrap();
    let server = world.server().unwrap();
    server.terminate().unwrap();
    plane.pass(&world, &[]).unwrap();
    plane.pass(&world, &[]).unwrap();
    let status = plane.status().unwrap();
    assert_eq!(status["moves"][0]["reason"], "NotEnrolled", "{status:#}");
    assert_eq!(collector.requests(), Vec::<String>::new());
    world.start_server().unwrap();
    world.server().unwrap().ready().unwrap();
    let passed = plane.pass(&world, &[]).unwrap();
    assert!(passed.ok() && plane.state.join("enrolled.json").exists(), "{}", passed.stderr);
    plane.pass(&world, &[]).unwrap();
    let status = plane.status().unwrap();
    assert!(!collector.requests().is_empty(), "{status:#}");
    assert!(!collector.has(token.trim()), "{:#?}", collector.requests());
    assert_eq!(status["instruction"]["by"], "server", "the old address answers: {status:#}");
    note("successor-of-a-server-wants-the-token", "NotEnrolled", "refused; the token went to nobody else");
}

#[test]
fn the_old_name_of_a_server_gets_no_report_while_the_new_one_is_away() {
    let mut world = World::start().unwrap();
    world.serve().unwrap();
    world.organization("acme", "canary").unwrap();
    let url = world.server().unwrap().url();
    let plane = world.enrolled("acme", "prod", "").unwrap();
    assert!(plane.pass(&world, &[]).unwrap().ok());
    let (collector, new) =
        (Collector::start().unwrap(), Forwarder::start(url.rsplit(':').next().unwrap().parse().unwrap()));
    let (old, new) = (format!("http://{}", collector.host()), new.unwrap());
    let text = std::fs::read_to_string(&plane.subscription).unwrap();
    std::fs::write(&plane.subscription, text.replace(&url, &old)).unwrap();
    world.move_address("server", &old, &format!("http://127.0.0.1:{}", new.port())).unwrap();
    plane.pass(&world, &[]).unwrap();
    assert_eq!(plane.status().unwrap()["moves"][0]["state"], "followed");
    assert_eq!(collector.requests(), Vec::<String>::new());
    drop(new);
    // There is something to tell: a level that it waits for.
    world.release(41, "emergency").unwrap();
    world.publish_catalog().unwrap();
    let pass = plane.pass(&world, &[]).unwrap();
    assert!(pass.stderr.contains("the report didn't arrive"), "{}", pass.stderr);
    assert!(collector.has("assignment"), "the old name is asked: {:#?}", collector.requests());
    let posted = collector.requests().into_iter().filter(|request| request.starts_with("POST"));
    assert_eq!(posted.collect::<Vec<_>>(), Vec::<String>::new());
    note(
        "report-to-the-old-name",
        "Unauthorized",
        "not sent: it waits for the server that was followed last",
    );
}

#[test]
fn a_server_is_followed_with_the_same_key_and_name() {
    let mut world = World::start().unwrap();
    world.serve().unwrap();
    world.organization("acme", "canary").unwrap();
    let url = world.server().unwrap().url();
    let plane = world.enrolled("acme", "prod", "").unwrap();
    assert!(plane.pass(&world, &[]).unwrap().ok());
    let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();
    let (old, new) = (Forwarder::start(port).unwrap(), Forwarder::start(port).unwrap());
    let at = |forwarder: &Forwarder| format!("http://127.0.0.1:{}", forwarder.port());
    let text = std::fs::read_to_string(&plane.subscription).unwrap();
    std::fs::write(&plane.subscription, text.replace(&url, &at(&old))).unwrap();
    world.move_address("server", &at(&old), &at(&new)).unwrap();
    plane.pass(&world, &[]).unwrap();
    drop(old);
    world.release(41, "emergency").unwrap();
    world.wait_for_ring(41, "canary", "open").unwrap();
    plane.pass(&world, &[]).unwrap();
    let status = plane.status().unwrap();
    assert_eq!((plane.level(), &status["moves"][0]["state"]), (Some(41), &json!("followed")), "{status:#}");
    let reported = || {
        let seen = world.server().unwrap().admin("/v1/data-planes/acme/prod").unwrap_or_default();
        seen.to_string().contains("41")
    };
    pdp_e2e::wait_for("the report to arrive at the new address", reported).unwrap();
}
