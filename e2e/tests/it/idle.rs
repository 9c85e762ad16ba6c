//! A data plane that has nothing to do asks each of its hosts once.

use std::collections::BTreeMap;

use pdp_e2e::{DataPlane, World};

/// A world with level 41 open to everybody.
fn opened(catalog_in_oci: bool) -> World {
    let mut world = World::start().unwrap();
    world.catalog_in_oci = catalog_in_oci;
    world.release(41, "emergency").unwrap();
    world.open(41, &["general=100"]).unwrap();
    world
}

/// What a pass over an installed level asks for, repository by repository.
fn asked_when_idle(world: &World, plane: &DataPlane) -> Vec<String> {
    assert!(plane.pass(world, &[]).unwrap().ok());
    assert_eq!(plane.level(), Some(41), "{:#}", plane.status().unwrap());
    // The pass after an installation is the first one that finds everything in place.
    assert!(plane.pass(world, &[]).unwrap().ok());
    world.git.take_exchanges();
    world.registry.take_exchanges();
    assert!(plane.pass(world, &[]).unwrap().ok());
    let all = world.git.take_exchanges().into_iter().chain(world.registry.take_exchanges());
    all.map(|exchange| format!("{} {}", exchange.method, exchange.path)).collect()
}

#[test]
fn a_git_catalog_costs_one_request_and_the_target_another() {
    let world = opened(false);
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    let asked = asked_when_idle(&world, &plane);
    assert_eq!(asked, ["GET /catalog/info/refs", "GET /acme-prod/info/refs"]);
}

#[test]
fn an_oci_catalog_costs_one_request_until_it_moves() {
    let world = opened(true);
    let catalog = format!("{{oci: {{repository: {}, tag: latest}}}}", world.catalog_repository());
    let mirror = world.registry_host();
    let plane = world.data_plane_on("acme", "prod", "general", &catalog, &mirror, "").unwrap();
    let mut asked = asked_when_idle(&world, &plane);
    asked.sort();
    assert_eq!(asked, ["GET /acme-prod/info/refs", "GET /v2/pdp/catalog/manifests/latest"]);
    // What is kept isn't believed: a changed archive is fetched again.
    let kept = plane.state.join("cache/catalog/kept");
    let files: BTreeMap<_, _> =
        std::fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().path()).map(|path| (path, ())).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    for path in files.keys() {
        std::fs::write(path, b"forged").unwrap();
    }
    let before = plane.status().unwrap();
    let asked = asked_when_idle(&world, &plane);
    assert_eq!((asked.len(), &plane.status().unwrap()["level"]), (2, &before["level"]));
    // A newer catalog is seen.
    world.release(42, "emergency").unwrap();
    world.open(42, &["general=100"]).unwrap();
    assert!(plane.pass(&world, &[]).unwrap().ok());
    assert_eq!(plane.level(), Some(42), "{:#}", plane.status().unwrap());
}

#[test]
fn who_may_not_push_has_not_begun() {
    let world = opened(false);
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    world.git.git("acme-prod", &["config", "http.receivepack", "false"]).unwrap();
    world.registry.take_exchanges();
    let pass = plane.pass(&world, &[]).unwrap();
    let status = plane.status().unwrap();
    assert_eq!(pass.code, Some(4), "{status:#}");
    assert_eq!(status["conditions"][0]["reason"], "LoginNeeded", "{status:#}");
    assert_eq!(
        (&status["health"], &status["target"]),
        (&"nothing installed".into(), &serde_json::Value::Null)
    );
    assert!(!plane.state.join("record.json").exists(), "nothing was decided");
    assert!(
        world.registry.take_exchanges().iter().all(|it| !it.path.contains("/blobs/")),
        "nothing was fetched"
    );
    world.git.git("acme-prod", &["config", "http.receivepack", "true"]).unwrap();
    assert!(plane.pass(&world, &[]).unwrap().ok());
    assert_eq!(plane.level(), Some(41));
}
