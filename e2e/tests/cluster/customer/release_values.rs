//! The release's own values, with real Flux: below everybody else's, put right, and back with the level that had them.

use pdp_e2e::World;
use pdp_e2e::cluster::{Kind, shared};
use serde_json::{Value, json};

use crate::plane::{Plane, release_of};
use crate::scenario::Scenario;

const HERE: &str = "release-values";
/// The chart is the same at all three levels.
const RESOLVER: &str = "secret-resolver";

/// A world with level 41 (three replicas on Azure), 42 (six) and 43 (as the chart says).
fn world() -> World {
    let world = World::start().unwrap();
    for (level, azure) in [(41, Some("replicas: 3\n")), (42, Some("replicas: 6\n")), (43, None)] {
        release_of(&world, level, HERE, &[RESOLVER], |line| match azure {
            Some(azure) => {
                line.values(RESOLVER, None, "replicas: 2\n")?;
                line.values(RESOLVER, Some("azure"), azure)
            }
            None => Ok(()),
        });
    }
    world
}

/// What Flux reads values from, in order.
fn names(plane: &Plane<'_>) -> Vec<String> {
    let release = plane.live(Kind::HELM_RELEASE, RESOLVER);
    let all = release["spec"]["valuesFrom"].as_array().unwrap().iter();
    all.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}

fn replicas(plane: &Plane<'_>, wanted: u64) {
    let namespace = &plane.world.target_namespaces(41).unwrap()[0];
    let now = || plane.cluster.api.get(Kind::DEPLOYMENT, namespace, RESOLVER).unwrap().unwrap_or_default();
    let what = format!("{wanted} replicas");
    plane.pdp_sync.wait(&what, || now()["spec"]["replicas"] == wanted).unwrap();
}

/// Lets Flux look at a ConfigMap that others changed.
fn ask(plane: &Plane<'_>, token: &str) {
    let ask = json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": token } } });
    plane.cluster.api.patch(Kind::HELM_RELEASE, HERE, RESOLVER, &ask).unwrap();
}

fn forget(plane: &Plane<'_>, name: &str) {
    assert!(plane.cluster.api.delete(Kind::CONFIG_MAP, HERE, name).unwrap(), "{name}");
}

/// Waits until a ConfigMap is there again as it was written.
fn healed(plane: &Plane<'_>, name: &str, before: &Value) {
    let same = || {
        let now = plane.live(Kind::CONFIG_MAP, name);
        now["data"] == before["data"] && now["immutable"] == true
    };
    plane.pdp_sync.wait("the release's values to be put back", same).unwrap();
}

#[test]
fn values_of_the_release_lie_below_all_others_heal_and_go_back_with_their_level() {
    let cluster = shared();
    let _scenario =
        Scenario::begin("customer: the release's own values, below theirs, healed, and back again");
    let plane = Plane::over(&cluster, world(), HERE, 41);
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    subscription.until_level(pdp_sync, 41).unwrap();
    replicas(&plane, 3);
    let at_41 = names(&plane);
    let each = format!("pdp-platform-values-{RESOLVER}");
    let theirs = format!("pdp-values-{RESOLVER}");
    assert_eq!(at_41[1..], ["pdp-platform-values".to_owned(), each.clone(), theirs.clone()]);
    let own = &at_41[0];
    assert!(own.starts_with("pdp-release-values-secret-resolver-"), "{own}");

    // The platform's own for this chart win over it, and the customer's over both.
    plane.give(&each, "replicas: 4\n");
    ask(&plane, "platform");
    replicas(&plane, 4);
    plane.give(&theirs, "replicas: 5\n");
    ask(&plane, "customer");
    replicas(&plane, 5);
    for name in [&each, &theirs] {
        forget(&plane, name);
    }
    ask(&plane, "nobody");
    replicas(&plane, 3);

    // Deleted, or swapped for another under its name and label: it is put back, and nothing else is written.
    let generation = || plane.live(Kind::HELM_RELEASE, RESOLVER)["metadata"]["generation"].clone();
    let (before, written) = (plane.live(Kind::CONFIG_MAP, own), generation());
    forget(&plane, own);
    healed(&plane, own, &before);
    forget(&plane, own);
    let mut other = before.clone();
    other["metadata"] = json!({ "name": own, "namespace": HERE, "labels": before["metadata"]["labels"] });
    other["data"]["values.yaml"] = json!("replicas: 9\n");
    cluster.api.apply(Kind::CONFIG_MAP, &other).unwrap();
    healed(&plane, own, &before);
    assert_eq!(generation(), written);
    replicas(&plane, 3);

    // Other values and the same chart; and back.
    let chart = || plane.live(Kind::HELM_RELEASE, RESOLVER)["spec"]["chartRef"].clone();
    let pinned = chart();
    plane.world.open(42, &["general=100"]).unwrap();
    subscription.until_level(pdp_sync, 42).unwrap();
    replicas(&plane, 6);
    assert_eq!(chart(), pinned);
    let at_42 = names(&plane);
    assert!(at_42[0] != at_41[0] && at_42[1..] == at_41[1..], "{at_42:?}");
    let back = |rollback: Value| subscription.patch(&json!({ "spec": { "rollback": rollback } })).unwrap();
    back(json!({ "from": 42, "reason": "a test" }));
    subscription.until_level(pdp_sync, 41).unwrap();
    replicas(&plane, 3);
    assert_eq!(names(&plane), at_41);

    // None at all: those that neither this level nor the one before has go.
    plane.world.open(43, &["general=100"]).unwrap();
    back(Value::Null);
    subscription.until_level(pdp_sync, 43).unwrap();
    replicas(&plane, 1);
    assert_eq!(names(&plane), at_41[1..]);
    let gone = || plane.live(Kind::CONFIG_MAP, &at_42[0]).is_null();
    pdp_sync.wait("the values of 42 to go", gone).unwrap();
    assert!(!plane.live(Kind::CONFIG_MAP, own).is_null(), "those of the last good level stay");
}

#[test]
fn a_strangers_config_map_of_the_name_holds_the_level_and_is_left_alone() {
    let cluster = shared();
    let _scenario = Scenario::begin("customer: a stranger's ConfigMap where the release's values go");
    let namespace = "release-values-taken";
    let world = World::start().unwrap();
    for (level, values) in [(41, "replicas: 3\n"), (42, "replicas: 2\n")] {
        release_of(&world, level, namespace, &[RESOLVER], |line| line.values(RESOLVER, None, values));
    }
    let plane = Plane::over(&cluster, world, namespace, 41);
    plane.subscription.until_level(&plane.pdp_sync, 41).unwrap();
    // The name that level 42 will need.
    let name = name_of("{\n  \"replicas\": 2\n}\n");
    plane.give(&name, "replicas: 9\n");
    plane.world.open(42, &["general=100"]).unwrap();
    let held = |state: &pdp_e2e::cluster::SubscriptionState| state.obstacles() == ["ForeignOwner"];
    plane.subscription.until(&plane.pdp_sync, "a stranger to hold", held).unwrap();
    assert_eq!(plane.live(Kind::CONFIG_MAP, &name)["data"]["values.yaml"], "replicas: 9\n");
    assert_eq!(plane.subscription.state().level(), Some(41));
    forget_in(&plane, namespace, &name);
    plane.subscription.until_level(&plane.pdp_sync, 42).unwrap();
    assert_eq!(plane.live(Kind::CONFIG_MAP, &name)["immutable"], true);
}

fn name_of(text: &str) -> String {
    use sha2::Digest as _;
    let hash = hex::encode(sha2::Sha256::digest(text.as_bytes()));
    format!("pdp-release-values-{RESOLVER}-{}", &hash[..10])
}

fn forget_in(plane: &Plane<'_>, namespace: &str, name: &str) {
    assert!(plane.cluster.api.delete(Kind::CONFIG_MAP, namespace, name).unwrap(), "{name}");
}
