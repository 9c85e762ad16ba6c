//! Server and Git host gone in mid-apply: the level comes to its end, and the status says how stale it is.

use pdp_e2e::World;
use pdp_e2e::cluster::{Kind, SubscriptionState, shared};
use pdp_e2e::{rfc3339, unix_now};
use serde_json::json;

use crate::plane::{Plane, release};
use crate::scenario::Scenario;

#[test]
fn server_and_git_host_gone_in_mid_apply() {
    let cluster = shared();
    let _scenario =
        Scenario::begin("state: channel server and Git host gone in mid-apply, for more than a day");
    const NAMESPACE: &str = "gone";
    let mut world = World::start().unwrap();
    world.serve().unwrap();
    world.organization("acme", "canary").unwrap();
    release(&world, 41, NAMESPACE, |_| Ok(()));
    let user = cluster.admit_pdp_sync(NAMESPACE).unwrap();
    world.target_namespaces(41).unwrap().iter().for_each(|name| cluster.namespace(name).unwrap());
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "enrol", "namespace": NAMESPACE },
        "stringData": { "token": world.publisher(&["pdp", "token", "acme/prod"]).unwrap().stdout },
    });
    cluster.api.apply(Kind::SECRET, &secret).unwrap();
    let (url, token) = (world.server().unwrap().url(), json!({ "name": "enrol", "key": "token" }));
    let subscription = cluster.subscription(&world, NAMESPACE).unwrap().with("ring", json!(null));
    let server = json!({ "server": { "url": url, "enrolmentTokenSecretRef": token } });
    let subscription = subscription.with("instruction", server).apply().unwrap();
    let pdp_sync = cluster.start_pdp_sync(NAMESPACE, &user, &[]).unwrap();
    let plane = Plane { cluster: &cluster, world, subscription, pdp_sync };
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    subscription.until_level(pdp_sync, 41).unwrap();

    pdp_sync.kill();
    release(&plane.world, 42, NAMESPACE, |_| Ok(()));
    plane.killed_at("after-write-2", &[]);
    let floors = plane.floors();
    plane.world.server().unwrap().terminate().unwrap();
    plane.world.git.stop();
    pdp_sync.start(&[]).unwrap();
    let done = |state: &SubscriptionState| {
        state.level() == Some(42)
            && state.history().first() == Some(&(42, "healthy".to_owned()))
            && state.reason("Reconciling") == "ProgressingWithRetry"
    };
    subscription.until(pdp_sync, "level 42 to be done, and the vendor to be missed", done).unwrap();
    assert!(!subscription.state().is_ready(), "{}", subscription.describe());
    assert!(subscription.state().is("Verified"), "{}", subscription.describe());
    assert_eq!(plane.floors(), floors);

    // Back long enough to be seen, then away for more than a day by the data plane's clock.
    let clock = plane.world.path("clock");
    plane.world.git.restart().unwrap();
    plane.world.start_server().unwrap();
    pdp_sync.start(&[("PDP_NOW_FILE", clock.to_str().unwrap())]).unwrap();
    subscription.until_level(pdp_sync, 42).unwrap();
    plane.world.server().unwrap().terminate().unwrap();
    plane.world.git.stop();
    std::fs::write(&clock, rfc3339(unix_now() + 27 * 3600)).unwrap();
    let stale = |state: &SubscriptionState| {
        state.reason("CatalogStale") == "CatalogOld"
            && state.status("catalog")["signedAt"].is_string()
            && state.level() == Some(42)
    };
    subscription.until(pdp_sync, "the age of the catalog to be told", stale).unwrap();
}
