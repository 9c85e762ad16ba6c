//! Who owns an object: a stranger's is never touched, handing over is a label, a second subscription waits.

use pdp_e2e::World;
use pdp_e2e::cluster::{Kind, SubscriptionState, shared};
use serde_json::{Value, json};

use crate::plane::{COMPONENTS, Plane, release};
use crate::scenario::Scenario;

const LABEL: &str = "updates.pdp.wso2.com/subscription";
const MANAGER: &str = COMPONENTS[0];

fn label(plane: &Plane<'_>, kind: Kind, name: &str, owner: &Value) {
    let patch = json!({ "metadata": { "labels": { LABEL: owner } } });
    plane.cluster.api.patch(kind, &plane.subscription.namespace, name, &patch).unwrap();
}

fn foreign(name: &'static str) -> impl Fn(&SubscriptionState) -> bool {
    move |state| {
        let all = state.status("obstacles").as_array().cloned().unwrap_or_default();
        let says = |it: &Value| it["detail"].as_str().is_some_and(|detail| detail.contains(name));
        all.iter().any(|it| it["code"] == "ForeignOwner" && says(it))
    }
}

#[test]
fn a_strangers_release_is_not_touched_until_it_is_handed_over() {
    const NAMESPACE: &str = "strangers";
    let cluster = shared();
    let _scenario =
        Scenario::begin("customer: a stranger's HelmRelease, handed over, then the label taken off");
    let world = World::start().unwrap();
    [41, 42].iter().for_each(|level| release(&world, *level, NAMESPACE, |_| Ok(())));
    cluster.namespace(NAMESPACE).unwrap();
    let theirs = json!({
        "apiVersion": Kind::HELM_RELEASE.api_version(), "kind": Kind::HELM_RELEASE.name(),
        "metadata": { "name": MANAGER, "namespace": NAMESPACE },
        "spec": { "interval": "7m", "chartRef": { "kind": "OCIRepository", "name": "theirs" } },
    });
    cluster.api.create(Kind::HELM_RELEASE, &theirs).unwrap();
    let plane = Plane::over(&cluster, world, NAMESPACE, 41);
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let live = || plane.live(Kind::HELM_RELEASE, MANAGER);
    subscription.until(pdp_sync, "the stranger to be named", foreign(MANAGER)).unwrap();
    assert_eq!((live()["spec"].clone(), subscription.state().level()), (theirs["spec"].clone(), None));
    assert!(plane.live(Kind::HELM_RELEASE, COMPONENTS[1]).is_null(), "nothing of the level is begun");
    label(&plane, Kind::HELM_RELEASE, MANAGER, &json!("pdp"));
    subscription.until_level(pdp_sync, 41).unwrap();
    assert_eq!(live()["spec"]["interval"], "1h", "adopted");

    let before = plane.release(MANAGER);
    label(&plane, Kind::HELM_RELEASE, MANAGER, &Value::Null);
    let seven = json!({ "spec": { "interval": "7m" } });
    cluster.api.patch(Kind::HELM_RELEASE, NAMESPACE, MANAGER, &seven).unwrap();
    plane.world.open(42, &["general=100"]).unwrap();
    subscription.until(pdp_sync, "the lost label to hold level 42", foreign(MANAGER)).unwrap();
    assert_eq!(live()["spec"]["interval"], "7m", "a stranger's: nothing is put right");
    assert_eq!(plane.release(MANAGER), before, "nothing is uninstalled or upgraded");
    label(&plane, Kind::HELM_RELEASE, MANAGER, &json!("pdp"));
    subscription.until_level(pdp_sync, 42).unwrap();
    assert_eq!(plane.release(MANAGER), (before.0, before.1 + 1));
    assert_eq!(live()["spec"]["interval"], "1h");
}

#[test]
fn a_second_subscription_waits_and_takes_nothing() {
    const NAMESPACE: &str = "two";
    let cluster = shared();
    let _scenario =
        Scenario::begin("customer: two subscriptions in one namespace; the first goes, the second stays out");
    let plane = Plane::at_41(&cluster, NAMESPACE, |_| Ok(()));
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    cluster.admit_pdp_sync_for(NAMESPACE, &["pdp", "second"], &[]).unwrap();
    let second = cluster.subscription(&plane.world, NAMESPACE).unwrap().named("second").apply().unwrap();
    second.until(pdp_sync, "the second to name the first", foreign("`pdp`")).unwrap();
    let state = second.state();
    assert!(state.level().is_none() && !state.is("Ready") && state.is("Blocked"), "{}", second.describe());
    plane.world.open(42, &["general=100"]).unwrap();
    subscription.until_level(pdp_sync, 42).unwrap();
    assert!(subscription.state().obstacles().is_empty(), "{}", subscription.describe());
    let owner = |name: &str| plane.live(Kind::HELM_RELEASE, name)["metadata"]["labels"][LABEL].clone();
    assert_eq!(COMPONENTS.map(owner), [json!("pdp"), json!("pdp")]);
    let before = COMPONENTS.map(|name| plane.release(name));

    // Once the first is gone, what it left is still nobody's until it is handed over.
    subscription.delete().unwrap();
    second.until(pdp_sync, "what the first left to be a stranger's", foreign(MANAGER)).unwrap();
    assert_eq!(COMPONENTS.map(owner), [json!("pdp"), json!("pdp")]);
    for kind in [Kind::HELM_RELEASE, Kind::OCI_REPOSITORY] {
        for object in cluster.api.list(kind, NAMESPACE).unwrap() {
            label(&plane, kind, object["metadata"]["name"].as_str().unwrap(), &json!("second"));
        }
    }
    second.until_level(pdp_sync, 42).unwrap();
    assert_eq!(COMPONENTS.map(|name| plane.release(name)), before, "Helm had nothing to do");
}
