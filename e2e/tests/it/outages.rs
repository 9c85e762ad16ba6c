//! Registry or Git down, slow or strange: waiting, never harm; and logins.

use pdp_e2e::{Harm, Login, World};

/// A small world of its own, because whole servers go down.
fn world() -> World {
    let world = World::start().unwrap();
    world.release(40, "emergency").unwrap();
    world.open(40, &["general=100"]).unwrap();
    world
}

#[test]
fn each_side_down_or_strange_is_waiting_and_ends_well() {
    let world = world();
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    let waits_for = |code: &str| {
        plane.pass(&world, &[("PDP_READ_TIMEOUT", "1")]).unwrap();
        let status = plane.status().unwrap();
        let waiting = status["waitingFor"].as_str().unwrap_or_default();
        assert!(waiting.contains(&format!("error[{code}]")), "{code}: {status:#}");
        assert_eq!(plane.level(), None);
    };
    world.registry.stop();
    waits_for("Unreachable");
    world.registry.restart().unwrap();
    world.git.stop();
    waits_for("Unreachable");
    world.git.restart().unwrap();
    for (harm, code) in [
        (Harm::Status(401), "LoginNeeded"),
        (Harm::Status(404), "NotFound"),
        (Harm::RateLimited, "RateLimited"),
        (Harm::Status(500), "ServerFailed"),
        (Harm::Silent, "TimedOut"),
    ] {
        world.registry.faults().add("", "/v2/", harm, None);
        waits_for(code);
        world.registry.faults().clear();
    }
    for (harm, code) in [
        (Harm::Status(403), "LoginNeeded"),
        (Harm::Status(500), "ServerFailed"),
        (Harm::Garbage, "Garbage"),
        (Harm::Silent, "TimedOut"),
    ] {
        world.git.faults().add("", "/catalog/", harm, None);
        waits_for(code);
        world.git.faults().clear();
    }
    // Trouble that passes is met by trying again, within one pass.
    world.registry.faults().add("GET", "/v2/", Harm::Status(503), Some(2));
    assert!(plane.pass(&world, &[]).unwrap().ok());
    assert_eq!(plane.level(), Some(40));
}

#[test]
fn the_customers_git_down_in_mid_apply_is_gone_on_with() {
    let world = world();
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    plane.pass(&world, &[("PDP_FAULT", "after-push-2")]).unwrap();
    world.git.faults().add("", "/acme-prod/", Harm::Status(500), None);
    world.registry.stop();
    plane.pass(&world, &[]).unwrap();
    let status = plane.status().unwrap();
    assert_eq!((status["phase"].as_str(), plane.level()), (Some("applying"), None), "{status:#}");
    world.git.faults().clear();
    // The registry is still away: what was begun needs it no more.
    plane.pass(&world, &[]).unwrap();
    assert_eq!(plane.level(), Some(40));
}

#[test]
fn logins_come_from_dockers_config_and_from_a_token() {
    let world = world();
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    world.registry.require(Some(Login::Token("pdp".into(), "secret".into())));
    world.git.require(Some(Login::Basic("x-access-token".into(), "git-secret".into())));
    let docker = world.path("docker");
    std::fs::create_dir_all(&docker).unwrap();
    let auth = "cGRwOnNlY3JldA==";
    let config = format!("{{\"auths\":{{\"{}\":{{\"auth\":\"{auth}\"}}}}}}", world.registry.host());
    std::fs::write(docker.join("config.json"), config).unwrap();
    let refused = plane.pass(&world, &[]).unwrap();
    assert_eq!(refused.code, Some(4), "a login is needed: {}", refused.stderr);
    let env = [("DOCKER_CONFIG", docker.to_str().unwrap()), ("PDP_SYNC_GIT_TOKEN", "git-secret")];
    let taken = plane.pass(&world, &env).unwrap();
    assert_eq!(plane.level(), Some(40), "{}", taken.stderr);
    assert!(!taken.stdout.contains("secret") && !taken.stderr.contains("secret"));
}

#[test]
fn a_data_plane_that_runs_takes_a_level_by_itself_and_only_once() {
    let world = world();
    let plane = world.data_plane("acme", "prod", "general", "  interval: 1s\n").unwrap();
    let mut running = plane.start(&world).unwrap();
    pdp_e2e::wait_for("level 40", || plane.level() == Some(40)).unwrap();
    let second = plane.pass(&world, &[]).unwrap();
    assert_eq!(second.error().as_deref(), Some("AlreadyRunning"), "{}", second.stderr);
    running.kill();
    assert!(plane.pass(&world, &[]).unwrap().ok(), "the lock dies with its holder");
}

#[test]
fn without_its_vendor_a_data_plane_goes_on_and_says_how_old_its_news_is() {
    let world = world();
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    plane.pass(&world, &[]).unwrap();
    world.git.faults().add("", "/catalog/", Harm::Status(500), None);
    world.registry.stop();
    let later = crate::forge::expires(crate::base::unix_now() + 3 * 86_400 + 60);
    assert!(plane.pass(&world, &[("PDP_NOW", &later)]).unwrap().ok());
    let status = plane.status().unwrap();
    assert_eq!(plane.level(), Some(40));
    assert!(status["conditions"].to_string().contains("CatalogStale"), "{status:#}");
    assert!(status["catalog"]["state"].as_str().unwrap().contains("72 hours ago"), "{status:#}");
}

#[test]
fn logins_come_from_credential_helpers_too() {
    use std::os::unix::fs::PermissionsExt;
    let world = world();
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    world.registry.require(Some(Login::Basic("pdp".into(), "secret".into())));
    world.git.require(Some(Login::Basic("platform".into(), "git-secret".into())));
    // Docker's helper protocol: `docker-credential-<name> get`, the host on stdin, JSON on stdout.
    let helpers = world.path("helpers");
    std::fs::create_dir_all(&helpers).unwrap();
    let helper = helpers.join("docker-credential-test");
    std::fs::write(
        &helper,
        "#!/bin/sh\ncat >/dev/null\necho '{\"Username\":\"pdp\",\"Secret\":\"secret\"}'\n",
    )
    .unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let docker = world.path("docker");
    std::fs::create_dir_all(&docker).unwrap();
    let config = format!("{{\"credHelpers\":{{\"{}\":\"test\"}}}}", world.registry.host());
    std::fs::write(docker.join("config.json"), config).unwrap();
    // Git's helper protocol, from the user's own configuration.
    let helper =
        "[credential]\n\thelper = \"!f() { echo username=platform; echo password=git-secret; }; f\"\n";
    std::fs::write(world.path(".gitconfig"), helper).unwrap();
    let path = format!("{}:{}", helpers.display(), std::env::var("PATH").unwrap());
    let env = [("DOCKER_CONFIG", docker.to_str().unwrap()), ("PATH", path.as_str())];
    let taken = plane.pass(&world, &env).unwrap();
    assert_eq!(plane.level(), Some(40), "{}\n{:#}", taken.stderr, plane.status().unwrap());
}
