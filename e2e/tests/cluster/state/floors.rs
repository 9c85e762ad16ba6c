//! Floors that were deleted are rebuilt, once, and old news is refused all the same.

use pdp_e2e::cluster::shared;

use crate::plane::Plane;
use crate::scenario::Scenario;

#[test]
fn deleted_floors_are_rebuilt_and_an_old_catalog_is_still_refused() {
    let cluster = shared();
    let _scenario =
        Scenario::begin("state: floors deleted in mid-apply and at rest; an old catalog is refused still");
    let plane = Plane::at_41(&cluster, "floors", |_| Ok(()));
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let catalog = || plane.world.git.files("catalog", "catalog").unwrap();
    let serve = |files| plane.world.git.overwrite("catalog", "catalog", files).unwrap();
    let old = catalog();
    plane.open_42();
    let new = catalog();
    let seen = plane.floors();

    plane.killed_at("after-write-2", &[]);
    plane.lose("state");
    pdp_sync.start(&[]).unwrap();
    subscription.until_level(pdp_sync, 42).unwrap();
    pdp_sync.wait("floors to be rebuilt", || plane.stored("state", "floors.json").is_string()).unwrap();
    pdp_sync.wait("everybody to be told", || plane.told("FloorsRebuilt") == (1, 1)).unwrap();
    assert_ne!(plane.floors(), seen, "rebuilt on the catalog of now");

    pdp_sync.kill();
    plane.lose("state");
    serve(&old);
    pdp_sync.start(&[]).unwrap();
    let refused = |state: &pdp_e2e::cluster::SubscriptionState| {
        state.status("refusal")["code"] == "VersionFloor" && !state.is_ready()
    };
    subscription.until(pdp_sync, "the old catalog to be refused by the decision alone", refused).unwrap();
    assert!(!plane.stored("state", "floors.json").is_string(), "nothing of it is kept");
    assert_eq!(plane.told("FloorsRebuilt"), (1, 1), "nothing was rebuilt");
    assert_eq!(subscription.state().level(), Some(42), "{}", subscription.describe());

    serve(&new);
    subscription.until_level(pdp_sync, 42).unwrap();
    pdp_sync.wait("everybody to be told again", || plane.told("FloorsRebuilt") == (2, 2)).unwrap();
    let back = plane.floors();
    serve(&old);
    subscription.until(pdp_sync, "the old catalog to be refused by the floors", refused).unwrap();
    assert_eq!(plane.floors(), back);
    assert_eq!(subscription.state().history().len(), 2, "{}", subscription.describe());
}
