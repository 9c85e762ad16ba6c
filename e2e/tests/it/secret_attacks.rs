//! Attacks by whoever may write a subscription: to have somebody else's secret sent to a host of theirs.

use pdp_e2e::{Collector, DataPlane, Login};

use crate::attack::note;
use crate::base::base;

const KEY: &str =
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n";

/// A data plane whose server is the attacker's, and whose enrolment token is this file.
fn enrols_with(name: &str, collector: &Collector, content: &str) -> DataPlane {
    let world = &base().world;
    let token = world.path(&format!("{name}.token"));
    std::fs::write(&token, content).unwrap();
    let server = format!("{{url: \"http://{}\", enrolmentToken: {}}}", collector.host(), token.display());
    world.data_plane("acme", name, "general", &format!("  instruction: {{server: {server}}}\n")).unwrap()
}

#[test]
fn a_foreign_secret_named_as_enrolment_token() {
    let world = &base().world;
    let collector = Collector::start().unwrap();
    let tokens = [KEY, "password", "pdpt_0123456789012345678901234567890123456789012", "pdpe_short"];
    for (number, content) in tokens.into_iter().enumerate() {
        let plane = enrols_with(&format!("foreign-{number}"), &collector, content);
        let pass = plane.pass(world, &[]).unwrap();
        let told = pass.stdout + &pass.stderr;
        assert!(told.contains("NotEnrolled") && !told.contains(content.trim()), "{told}");
    }
    assert_eq!(collector.requests(), Vec::<String>::new());
    let token = format!("pdpe_{}", "x".repeat(43));
    enrols_with("own", &collector, &format!("{token}\n")).pass(world, &[]).unwrap();
    assert!(collector.has(&token), "a true one is sent");
    note("foreign-secret-as-enrolment-token", "NotEnrolled", "refused; nothing was sent");
}

#[test]
fn a_host_that_the_administrator_doesnt_list() {
    let world = &base().world;
    let collector = Collector::start().unwrap();
    let source = format!("{{git: {{url: \"http://{}/catalog\", branch: catalog}}}}", collector.host());
    let plane =
        world.data_plane_on("acme", "unlisted", "general", &source, &world.registry_host(), "").unwrap();
    let listed = world.registry_host();
    let env = [("PDP_SYNC_ALLOWED_HOSTS", listed.as_str()), ("PDP_SYNC_GIT_TOKEN", "push-secret")];
    let pass = plane.pass(world, &env).unwrap();
    assert_eq!(pass.error().as_deref(), Some("HostNotAllowed"), "{}", pass.stderr);
    assert!(pass.stderr.contains("spec.catalog.git.url"), "{}", pass.stderr);
    assert_eq!(collector.requests(), Vec::<String>::new());
    plane.pass(world, &[]).unwrap();
    assert!(!collector.requests().is_empty(), "without a list any host is asked");
    note("host-not-listed", "HostNotAllowed", "refused; nothing was sent");
}

#[test]
fn the_token_that_may_push_is_asked_for_by_the_catalogs_host() {
    let world = &base().world;
    let collector = Collector::start().unwrap();
    let source = format!("{{git: {{url: \"http://{}/catalog\", branch: catalog}}}}", collector.host());
    let plane = world.data_plane_on("acme", "asked", "general", &source, &world.registry_host(), "").unwrap();
    let pass = plane.pass(world, &[("PDP_SYNC_GIT_TOKEN", "push-secret")]).unwrap();
    assert!(!collector.requests().is_empty(), "{}", pass.stderr);
    assert!(!collector.has("push-secret"), "{:#?}", collector.requests());
    let env = [("PDP_SYNC_GIT_TOKEN", "push-secret"), ("PDP_SYNC_CATALOG_GIT_TOKEN", "read-secret")];
    plane.pass(world, &env).unwrap();
    assert!(collector.has("read-secret") && !collector.has("push-secret"), "{:#?}", collector.requests());
    let first = &collector.requests()[0];
    assert!(!first.contains("authorization"), "nobody gets a login unasked: {first}");
    note("catalog-host-asks-for-the-push-token", "LoginNeeded", "refused; only its own token was sent");
}

/// The customer's three secrets: of who may push, of who may read the catalog, of who may pull.
const SECRETS: [&str; 3] = ["push-secret", "read-secret", "pull-secret"];

/// A pass with all three at hand; `registry` is whose login Docker's config holds.
fn pass_with_secrets(plane: &DataPlane, registry: &str) -> String {
    let world = &base().world;
    let docker = world.path(&format!("{}-docker", plane.name));
    std::fs::create_dir_all(&docker).unwrap();
    let auths =
        format!(r#"{{"auths": {{"{registry}": {{"username": "puller", "password": "{}"}}}}}}"#, SECRETS[2]);
    std::fs::write(docker.join("config.json"), auths).unwrap();
    let env = [
        ("PDP_SYNC_GIT_TOKEN", SECRETS[0]),
        ("PDP_SYNC_CATALOG_GIT_TOKEN", SECRETS[1]),
        ("DOCKER_CONFIG", docker.to_str().unwrap()),
    ];
    let pass = plane.pass(world, &env).unwrap();
    pass.stdout + &pass.stderr
}

/// Which of the three arrived.
fn collected(collector: &Collector) -> Vec<&'static str> {
    SECRETS.into_iter().filter(|secret| collector.has(secret)).collect()
}

#[test]
fn each_host_that_collects_finds_no_secret_but_its_own() {
    let world = &base().world;
    let real = format!("{{git: {{url: \"{}\", branch: catalog}}}}", world.git_url("catalog"));
    let registry = world.registry_host();
    let collector = || Collector::start().unwrap();

    let catalog = collector();
    let source = format!("{{git: {{url: \"http://{}/catalog\", branch: catalog}}}}", catalog.host());
    let plane = world.data_plane_on("acme", "at-catalog", "general", &source, &registry, "").unwrap();
    pass_with_secrets(&plane, &registry);
    assert_eq!(collected(&catalog), ["read-secret"]);

    let ring_state = collector();
    let git = format!("{{git: {{url: \"http://{}/ring-state\", branch: ring-state}}}}", ring_state.host());
    let more = format!("  instruction: {{ringState: {git}}}\n");
    let plane = world.data_plane_on("acme", "at-ring-state", "general", &real, &registry, &more).unwrap();
    let told = pass_with_secrets(&plane, &registry);
    assert!(!ring_state.requests().is_empty(), "{told}");
    assert_eq!(collected(&ring_state), Vec::<&str>::new());

    let mirror = collector();
    let plane = world.data_plane_on("acme", "at-mirror", "general", &real, &mirror.host(), "").unwrap();
    let told = pass_with_secrets(&plane, &registry);
    assert!(!mirror.requests().is_empty(), "{told}");
    assert_eq!(collected(&mirror), Vec::<&str>::new(), "the login is another registry's");
    pass_with_secrets(&plane, &mirror.host());
    assert_eq!(collected(&mirror), ["pull-secret"]);

    let tokens = collector();
    let door = world.registry.beside().unwrap();
    door.require(Some(Login::TokenFrom(format!(
        "http://{}/token",
        tokens.host().replace("127.0.0.1", "localhost")
    ))));
    let plane = world.data_plane_on("acme", "at-tokens", "general", &real, &door.host(), "").unwrap();
    let told = pass_with_secrets(&plane, &door.host());
    assert!(told.contains("LoginNeeded") && told.contains("--token-host"), "{told}");
    assert_eq!((collected(&tokens), door.take_logins()), (Vec::new(), Vec::new()));
    note("hosts-that-collect-secrets", "LoginNeeded", "refused; each found its own secret at the most");
}
