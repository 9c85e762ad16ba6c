//! The API server goes away in the middle of an apply and comes back.

use pdp_e2e::cluster::{Kind, Part, SubscriptionState, alone};
use serde_json::json;

use super::{chart_refs, until_flux_is_at_it};
use crate::plane::{Plane, release};
use crate::scenario::Scenario;

const NAMESPACE: &str = "restarted";

#[test]
fn a_level_goes_on_after_the_api_server_was_away_and_watches_come_back() {
    let mut cluster = alone();
    let _scenario =
        Scenario::begin("faults: kube-apiserver killed in mid-apply; the level goes on, watches too");
    let Plane { world, subscription, pdp_sync, .. } = Plane::at_41(&cluster, NAMESPACE, |_| Ok(()));
    let at_41 = chart_refs(&cluster.api, NAMESPACE);
    world.open(42, &["general=100"]).unwrap();
    until_flux_is_at_it(&cluster, &pdp_sync, &subscription, &at_41[1]);
    cluster.stop(Part::ApiServer);
    cluster.start_again(Part::ApiServer).unwrap();
    subscription.until_level(&pdp_sync, 42).unwrap();

    // Between two stages as well, and for so long that Helm's own calls fail.
    release(&world, 43, NAMESPACE, |line| {
        let edit = ("replicas: 1", "replicas: 2");
        crate::plane::COMPONENTS.iter().try_for_each(|name| line.replace(name, "values.yaml", edit.0, edit.1))
    });
    let applying = |state: &SubscriptionState| state.target() == Some(43) && state.phase() == "applying";
    world.open(43, &["general=100"]).unwrap();
    subscription.until(&pdp_sync, "level 43 to be applied", applying).unwrap();
    cluster.stop(Part::ApiServer);
    let gave_up = || cluster.log(Part::HelmController, 50).contains("connection refused");
    cluster.wait_for("helm-controller to give up", gave_up).unwrap();
    cluster.start_again(Part::ApiServer).unwrap();
    subscription.until_level(&pdp_sync, 43).unwrap();
    let history = subscription.state().history();
    assert_eq!(
        history,
        [43, 42, 41].map(|level| (level, "healthy".to_owned())),
        "nothing looked like a failure"
    );

    // With an hour between passes only a watch notices a change; every watch was dropped.
    subscription.patch(&json!({ "spec": { "interval": "1h" } })).unwrap();
    subscription.until_level(&pdp_sync, 43).unwrap();
    cluster.stop(Part::ApiServer);
    cluster.start_again(Part::ApiServer).unwrap();
    for nth in ["the first", "the second"] {
        let token = subscription.request().unwrap();
        let answered = |state: &SubscriptionState| state.status("lastHandledReconcileAt") == &json!(token);
        subscription.until(&pdp_sync, &format!("{nth} request to be noticed"), answered).unwrap();
    }
    assert!(subscription.state().is_ready(), "{}", subscription.describe());
    let now = cluster.api.get(Kind::SECRET, NAMESPACE, "pdp-pdp-state").unwrap().unwrap();
    assert!(now["data"]["floors.json"].is_string(), "no lost floor");
}
