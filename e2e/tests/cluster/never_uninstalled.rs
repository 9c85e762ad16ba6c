//! Nothing is uninstalled by absence; `removed:` is the one way.

use pdp_e2e::cluster::{Kind, shared};
use serde_json::{Value, json};

use crate::plane::{Plane, release};
use crate::scenario::Scenario;

const GONE: &str = "certificate-manager";

fn workload(plane: &Plane<'_>, namespace: &str, name: &str) -> Option<Value> {
    plane.cluster.api.get(Kind::DEPLOYMENT, namespace, name).unwrap()
}

#[test]
fn forgotten_renamed_orphaned_components_stay_and_removed_ones_go() {
    let cluster = shared();
    let _scenario =
        Scenario::begin("never uninstalled: forgotten, renamed chart, deleted subscription; `removed:` goes");
    let plane = Plane::at_41(&cluster, "never", |line| {
        line.forget(GONE);
        line.rename_chart("choreo-connect-enforcer", "choreo-connect-enforcer-renamed")
    });
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let place = |name: &str| if name == GONE { "cert-manager-never" } else { "wso2-dataplane-never" };
    let uid = |name: &str| {
        let found = workload(&plane, place(name), name).unwrap_or_else(|| panic!("{name} is gone"));
        found["metadata"]["uid"].as_str().unwrap().to_owned()
    };
    let before = [uid(GONE), uid("choreo-connect-enforcer")];
    plane.world.open(42, &["general=100"]).unwrap();
    subscription.until_level(pdp_sync, 42).unwrap();
    assert_eq!([uid(GONE), uid("choreo-connect-enforcer")], before, "the same workloads, never uninstalled");

    subscription.delete().unwrap();
    pdp_sync.wait("the subscription to be gone", || subscription.state().0.is_null()).unwrap();
    assert_eq!([uid(GONE), uid("choreo-connect-enforcer")], before, "deleting the subscription orphans");
    subscription.clone().apply().unwrap();
    subscription.until_level(pdp_sync, 42).unwrap();
    assert_eq!(uid("choreo-connect-enforcer"), before[1], "nothing was installed anew");

    release(&plane.world, 43, "never", |line| {
        line.remove(GONE);
        Ok(())
    });
    plane.world.open(43, &["general=100"]).unwrap();
    subscription.until_level(pdp_sync, 43).unwrap();
    pdp_sync.wait("the removed component to go", || workload(&plane, place(GONE), GONE).is_none()).unwrap();
}

#[test]
fn a_suspended_component_holds_and_drift_is_put_right() {
    let cluster = shared();
    let _scenario =
        Scenario::begin("customer: suspend holds, drift of our fields is put right, labels of others stay");
    let plane = Plane::at_41(&cluster, "customer", |_| Ok(()));
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let (api, name) = (&cluster.api, "choreo-connect-enforcer");
    let patch = |patch: Value| api.patch(Kind::HELM_RELEASE, "customer", name, &patch).unwrap();
    let live = || api.get(Kind::HELM_RELEASE, "customer", name).unwrap().unwrap();
    let interval = live()["spec"]["interval"].clone();
    patch(json!({ "spec": { "interval": "7m" }, "metadata": { "labels": { "team": "theirs" } } }));
    pdp_sync.wait("drift to be put right", || live()["spec"]["interval"] == interval).unwrap();
    assert_eq!(live()["metadata"]["labels"]["team"], "theirs");

    patch(json!({ "spec": { "suspend": true } }));
    plane.world.open(42, &["general=100"]).unwrap();
    let held = |state: &pdp_e2e::cluster::SubscriptionState| {
        state.obstacles().contains(&"ComponentSuspended".to_owned())
    };
    subscription.until(pdp_sync, "the suspension to hold level 42", held).unwrap();
    assert_eq!(live()["spec"]["suspend"], true, "never owned by pdp-sync");
    patch(json!({ "spec": { "suspend": null } }));
    subscription.until_level(pdp_sync, 42).unwrap();

    subscription.patch(&json!({ "spec": { "rollback": { "from": 42, "reason": "it is slow" } } })).unwrap();
    subscription
        .until(pdp_sync, "a person's rollback", |state| {
            state.phase() == "takenBack" && state.level() == Some(41)
        })
        .unwrap();
    subscription.patch(&json!({ "spec": { "rollback": null } })).unwrap();
    subscription.until_level(pdp_sync, 42).unwrap();
}
