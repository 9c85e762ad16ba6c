//! The subscription edited in mid-apply: the level goes on with what was copied when it was decided.

use pdp_e2e::cluster::{Kind, SubscriptionState, shared};
use serde_json::{Value, json};

use crate::plane::{COMPONENTS, Plane};
use crate::scenario::Scenario;

#[test]
fn a_level_goes_on_with_what_was_copied_when_it_was_decided() {
    let cluster = shared();
    let _scenario =
        Scenario::begin("state: mirror, values, pin, interval edited in mid-apply; then suspended");
    let plane = Plane::at_41(&cluster, "edited", |_| Ok(()));
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let mirror = subscription.object()["spec"]["mirror"]["host"].as_str().unwrap().to_owned();
    let enforcer = || plane.live(Kind::HELM_RELEASE, COMPONENTS[1]);
    let before = enforcer();
    plane.open_42();
    plane.killed_at("after-write-2", &[]);

    subscription.patch(&json!({ "spec": { "suspend": true } })).unwrap();
    let token = subscription.request().unwrap();
    pdp_sync.start(&[]).unwrap();
    let suspended = |state: &SubscriptionState| {
        state.reason("Ready") == "Suspended" && state.status("lastHandledReconcileAt") == token.as_str()
    };
    subscription.until(pdp_sync, "the suspension to be answered", suspended).unwrap();
    let state = subscription.state();
    assert_eq!(state.status("observedGeneration"), &state.0["metadata"]["generation"]);
    assert!(!state.is("Reconciling") && state.level() == Some(41), "{}", subscription.describe());
    assert_eq!(enforcer()["spec"], before["spec"], "the next stage isn't begun");

    subscription
        .patch(&json!({ "spec": {
            "suspend": false,
            "interval": "3s",
            "mirror": { "host": "127.0.0.1:1/nowhere" },
            "values": { "platform": "other", "customerPrefix": "other-" },
            "policy": { "pin": { "to": { "level": 41 }, "reason": "too late", "expires": "2099-01-31T00:00:00Z" } },
        } }))
        .unwrap();
    subscription.until_level(pdp_sync, 42).unwrap();
    let state = subscription.state();
    assert_eq!(state.status("observedGeneration"), &state.0["metadata"]["generation"]);
    for name in COMPONENTS {
        copied(&plane, name, &mirror);
        assert_eq!(state.component(name), "healthy", "{}", subscription.describe());
    }
    assert!(state.is("UpToDate") && !state.is("Blocked"), "{}", subscription.describe());
}

/// As the subscription was when level 42 was decided.
fn copied(plane: &Plane<'_>, name: &str, mirror: &str) {
    let live = plane.live(Kind::HELM_RELEASE, name);
    let from: Vec<_> = live["spec"]["valuesFrom"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    let each = json!(format!("pdp-platform-values-{name}"));
    assert_eq!(from, [&json!("pdp-platform-values"), &each, &json!(format!("pdp-values-{name}"))]);
    let source = live["spec"]["chartRef"]["name"].as_str().unwrap();
    let url: Value = plane.live(Kind::OCI_REPOSITORY, source)["spec"]["url"].clone();
    assert!(url.as_str().unwrap().starts_with(&format!("oci://{mirror}/")), "{name}: {url}");
}
