//! Publishing with logins from Docker's config, and who gets to see them.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use pdp_e2e::{Finished, Login, Program, Registry, World};

use crate::attack::note;

/// Level 40, built and signed.
fn built(world: &World) -> String {
    let file = World::fixtures().join("pdp-2026/40/release.yaml");
    let out = world.path("level-40").to_string_lossy().into_owned();
    world.publisher(&["release", "build", &file.to_string_lossy(), "--out", &out]).unwrap();
    world.publisher(&["release", "sign", &out, "--key", &world.key("artifact")]).unwrap();
    out
}

/// A folder with a Docker config, and a helper `docker-credential-test` that runs this script.
fn docker(world: &World, config: &str, script: &str) -> PathBuf {
    let folder = world.path("docker");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.json"), config).unwrap();
    let helper = folder.join("docker-credential-test");
    std::fs::write(&helper, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn publish(world: &World, out: &str, docker: &std::path::Path) -> Finished {
    let path = format!("{}:{}", docker.display(), std::env::var("PATH").unwrap());
    let args = ["release", "publish", out, "--key", &world.key("ci"), "--key", &world.key("release-1")];
    let env = [("DOCKER_CONFIG", docker.to_str().unwrap()), ("PATH", path.as_str())];
    world.run(Program::Publisher, &args, &env).unwrap()
}

#[test]
fn a_helper_gives_the_login_and_one_that_knows_none_is_no_failure() {
    let world = World::start().unwrap();
    let out = built(&world);
    let config = format!(r#"{{"credHelpers": {{"{}": "test"}}}}"#, world.registry.host());
    let none = "cat >/dev/null; echo 'credentials not found in native keychain'; exit 1";
    world.registry.require(Some(Login::Token("ci".into(), "s3cret".into())));
    let refused = publish(&world, &out, &docker(&world, &config, none));
    assert!(refused.stderr.contains("error[LoginNeeded]"), "{}", refused.stderr);
    let broken = "cat >/dev/null; echo 's3cret: vault is sealed'; exit 1";
    let refused = publish(&world, &out, &docker(&world, &config, broken));
    assert!(refused.stderr.contains("error[BadCredentials]"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("s3cret"), "{}", refused.stderr);
    let gives = r#"read address; echo "{\"Username\": \"ci\", \"Secret\": \"s3cret\"}""#;
    let published = publish(&world, &out, &docker(&world, &config, gives));
    assert!(published.ok(), "{}", published.stderr);
    world.registry.require(None);
    let anonymous = publish(&world, &out, &docker(&world, &config, none));
    assert!(anonymous.ok(), "{}", anonymous.stderr);
}

#[test]
fn three_hosts_of_one_registry_see_three_different_things() {
    let world = World::start().unwrap();
    let out = built(&world);
    let (service, uploads) = (Registry::start().unwrap(), world.registry.beside().unwrap());
    // Its token service is elsewhere, and so are its uploads.
    service.require(Some(Login::Token("ci".into(), "s3cret".into())));
    let elsewhere = service.host().replace("127.0.0.1", "localhost");
    world.registry.require(Some(Login::TokenFrom(format!("http://{elsewhere}/token"))));
    let auths = format!(
        r#"{{"auths": {{"{}": {{"username": "ci", "password": "s3cret"}}}}}}"#,
        world.registry.host()
    );
    let folder = docker(&world, &auths, "exit 1");
    let refused = publish(&world, &out, &folder);
    assert!(refused.stderr.contains("--token-host") && refused.code == Some(4), "{}", refused.stderr);
    assert!(service.take_logins().is_empty() && world.registry.take_logins().is_empty());
    note(
        "token-service-elsewhere",
        "LoginNeeded",
        "refused: a token service elsewhere gets no login unless it is allowed",
    );

    world.registry.require(Some(Login::Basic("ci".into(), "s3cret".into())));
    world.registry.habits(|habits| habits.uploads_at = Some(format!("http://{}", uploads.host())));
    let published = publish(&world, &out, &folder);
    assert!(published.ok(), "{}", published.stderr);
    assert!(uploads.take_exchanges().iter().any(|exchange| exchange.method == "PUT"));
    assert_eq!(uploads.take_logins(), Vec::<String>::new());
    note("upload-location-elsewhere", "-", "without effect: the upload host gets the bytes and no login");
}
