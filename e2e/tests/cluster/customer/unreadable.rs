//! A subscription that the API server takes and pdp-sync can't read.

use pdp_e2e::cluster::{Kind, SubscriptionState, shared};
use serde_json::json;

use crate::plane::Plane;
use crate::scenario::Scenario;

#[test]
fn one_that_can_not_be_read_says_so_goes_on_once_it_can_and_can_be_deleted() {
    let cluster = shared();
    let _scenario = Scenario::begin("customer: a subscription that can't be read says so, and keeps nobody");
    let plane = Plane::at_41(&cluster, "unreadable", |_| Ok(()));
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let leave_out = |names: &[&str]| subscription.patch(&json!({ "spec": { "leaveOut": names } })).unwrap();
    let told = |state: &SubscriptionState| {
        let stalled = state.condition("Stalled");
        stalled["reason"] == "BadSubscription" && stalled["message"].to_string().contains("No Name!")
    };
    leave_out(&["No Name!"]);
    subscription.until(pdp_sync, "what can't be read to be told", told).unwrap();
    let state = subscription.state();
    assert_eq!((state.level(), state.is_ready()), (Some(41), false), "{}", subscription.describe());

    plane.world.open(42, &["general=100"]).unwrap();
    leave_out(&[]);
    subscription.until_level(pdp_sync, 42).unwrap();
    assert!(!subscription.state().is("Stalled"), "{}", subscription.describe());

    leave_out(&["No Name!"]);
    subscription.until(pdp_sync, "what can't be read to be told again", told).unwrap();
    assert!(subscription.delete().unwrap());
    let namespace = subscription.namespace.as_str();
    let gone = || cluster.api.get(Kind::SUBSCRIPTION, namespace, "pdp").unwrap().is_none();
    pdp_sync.wait("it to be let go", gone).unwrap();
}
