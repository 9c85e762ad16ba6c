//! `kill -9` at every step: the next pass ends at the right level, and nothing is written twice.

use pdp_e2e::World;

use crate::base::base;
use crate::forge::expires;

/// Every point at which the process can die while 42 replaces 41 (stages 2, 3 and 4 change something).
const POINTS: [&str; 10] = [
    "before-record",
    "after-record",
    "before-push-2",
    "after-push-2",
    "before-push-3",
    "after-push-3",
    "before-push-4",
    "after-push-4",
    "before-finish",
    "after-finish",
];

#[test]
fn killed_at_every_step_it_ends_at_42_with_the_same_commits() {
    let base = base();
    for point in POINTS {
        let plane = base.world.data_plane("crash", point, "general", "").unwrap();
        let catalog = on_41(point);
        repoint(&plane, &catalog);
        assert!(plane.pass(&base.world, &[]).unwrap().ok());
        assert_eq!(plane.level(), Some(41), "{point}");
        base.world.git.overwrite(&catalog, "catalog", &base.at_42).unwrap();
        let died = plane.pass(&base.world, &[("PDP_FAULT", point)]).unwrap();
        assert_eq!(died.code, None, "it has to die at {point}: {}", died.stderr);
        assert!(plane.pass(&base.world, &[]).unwrap().ok());
        assert_eq!(plane.level(), Some(42), "{point}");
        let log = base.world.git.git(&plane.name, &["log", "--format=%s", "main"]).unwrap();
        let of_42 = log.lines().filter(|line| line.starts_with("Level 42")).count();
        assert_eq!(of_42, 3, "{point}: one commit per stage\n{log}");
    }
}

#[test]
fn with_an_expired_catalog_it_finishes_what_it_began_and_starts_nothing() {
    let base = base();
    let later = expires(crate::base::unix_now() + 8 * 86_400);
    for point in POINTS {
        let plane = base.world.data_plane("stale", point, "general", "").unwrap();
        let catalog = on_41(&format!("stale-{point}"));
        repoint(&plane, &catalog);
        assert!(plane.pass(&base.world, &[]).unwrap().ok());
        base.world.git.overwrite(&catalog, "catalog", &base.at_42).unwrap();
        plane.pass(&base.world, &[("PDP_FAULT", point)]).unwrap();
        plane.pass(&base.world, &[("PDP_NOW", &later)]).unwrap();
        let begun = point != "before-record";
        assert_eq!(plane.level(), Some(if begun { 42 } else { 41 }), "{point}");
        let conditions = plane.status().unwrap()["conditions"].to_string();
        assert!(conditions.contains("CatalogStale"), "{point}: {conditions}");
    }
}

fn on_41(name: &str) -> String {
    let base = base();
    let catalog = format!("catalog-crash-{name}");
    base.world.git.create(&catalog).unwrap();
    base.world.git.overwrite(&catalog, "catalog", &base.at_41).unwrap();
    catalog
}

fn repoint(plane: &pdp_e2e::DataPlane, catalog: &str) {
    let world: &World = &base().world;
    let text = std::fs::read_to_string(&plane.subscription).unwrap();
    let text = text.replace(&world.git.url("catalog"), &world.git.url(catalog));
    std::fs::write(&plane.subscription, text).unwrap();
}
