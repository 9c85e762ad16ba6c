//! Pin, freeze, minimum age, window, leaving out: each holds with its code and, where known, its time.

use pdp_e2e::cluster::{Kind, SubscriptionState, shared};
use pdp_e2e::{World, rfc3339, unix_now};
use serde_json::{Value, json};

use crate::plane::{COMPONENTS, Plane, release};
use crate::scenario::Scenario;

const FAR: &str = "2099-01-31T00:00:00Z";

fn window(kind: &str, cron: &str) -> Value {
    json!({ "name": "nightly", "kind": kind, "cron": cron, "timeZone": "UTC", "length": "1h" })
}

/// Replaces the whole policy.
fn set(plane: &Plane<'_>, policy: &Value) {
    let patch = json!([{ "op": "add", "path": "/spec/policy", "value": policy }]);
    let namespace = &plane.subscription.namespace;
    plane.cluster.api.json_patch(Kind::SUBSCRIPTION, namespace, "pdp", "", &patch).unwrap();
}

fn at_41_with_an_optional_component<'a>(
    cluster: &'a pdp_e2e::cluster::Cluster,
    namespace: &str,
) -> Plane<'a> {
    let world = World::start().unwrap();
    for level in [41, 42] {
        release(&world, level, namespace, |line| line.set(COMPONENTS[0], "optional", json!(true)));
    }
    let plane = Plane::over(cluster, world, namespace, 41);
    plane.subscription.until_level(&plane.pdp_sync, 41).unwrap();
    plane
}

#[test]
fn each_instrument_holds_with_its_code_and_its_time() {
    let cluster = shared();
    let _scenario = Scenario::begin("customer: pin, freeze, minimum age, window, hold, leaving out");
    let plane = at_41_with_an_optional_component(&cluster, "policy");
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let charts = || COMPONENTS.map(|name| plane.live(Kind::HELM_RELEASE, name)["spec"]["chartRef"].clone());
    let before = charts();
    let pin = json!({ "to": { "level": 41 }, "reason": "quarter-end", "expires": FAR });
    set(&plane, &json!({ "pin": pin }));
    plane.world.open(42, &["general=100"]).unwrap();
    let year = jiff_year() + 1;
    for (policy, codes, next) in [
        (json!({ "pin": pin }), &["Pinned"][..], Some(FAR.to_owned())),
        (json!({ "hold": { "reason": "audit" } }), &["Frozen"], None),
        (
            json!({ "freezes": [{ "reason": "sale", "from": "2020-01-01T00:00:00Z", "until": FAR }] }),
            &["Frozen"],
            Some(FAR.to_owned()),
        ),
        (
            json!({ "windows": [window("allow", "0 0 1 1 *")] }),
            &["OutsideWindow"],
            Some(format!("{year}-01-01T00:00:00Z")),
        ),
        (json!({ "windows": [window("deny", "* * * * *")] }), &["OutsideWindow", "PolicyIneffective"], None),
        (
            json!({ "pin": { "to": { "level": 410 }, "reason": "slip", "expires": FAR } }),
            &["PolicyIneffective"],
            None,
        ),
    ] {
        set(&plane, &policy);
        let held = |state: &SubscriptionState| {
            let next = next.as_ref().map_or(Value::Null, |at| json!({ "at": at, "code": codes[0] }));
            let slip = state.is("PolicyIneffective") == codes.contains(&"PolicyIneffective");
            let told = state.status("nextAction").clone();
            let blocked = state.is_ready() && state.reason("Blocked") == codes[0];
            state.obstacles() == codes && told == next && blocked && slip
        };
        subscription.until(pdp_sync, &format!("{policy} to hold"), held).unwrap();
        assert_eq!(charts(), before);
    }
    set(&plane, &json!({ "minimumAge": { "age": "30d" } }));
    let young = |state: &SubscriptionState| {
        let at = state.status("nextAction")["at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
        let days = at.map(|at| (at.as_second() - unix_now()) / 86_400);
        state.obstacles() == ["TooYoung"] && days == Some(29)
    };
    subscription.until(pdp_sync, "the age to hold", young).unwrap();

    subscription.patch(&json!({ "spec": { "leaveOut": [COMPONENTS[0]] } })).unwrap();
    set(&plane, &json!({ "windows": [window("allow", "* * * * *")] }));
    subscription.until_level(pdp_sync, 42).unwrap();
    let after = charts();
    assert_eq!(after[0], before[0], "left out: stays as it was, isn't uninstalled");
    assert_ne!(after[1], before[1]);
    let state = subscription.state();
    assert_eq!(
        (state.component(COMPONENTS[0]), state.component(COMPONENTS[1])),
        (String::new(), "healthy".into())
    );
    assert_eq!(state.status("policyLoosened"), &json!(true), "{}", subscription.describe());
}

#[test]
fn what_was_loosened_while_a_level_waited_is_recorded() {
    let cluster = shared();
    let _scenario =
        Scenario::begin("customer: a pin taken away during a freeze is on record when the freeze ends");
    let plane = Plane::at_41(&cluster, "loosened", |_| Ok(()));
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let freeze =
        json!([{ "reason": "sale", "from": "2020-01-01T00:00:00Z", "until": rfc3339(unix_now() + 20) }]);
    let pin = json!({ "to": { "level": 41 }, "reason": "quarter-end", "expires": FAR });
    set(&plane, &json!({ "pin": pin, "freezes": freeze }));
    plane.world.open(42, &["general=100"]).unwrap();
    let pinned = |state: &SubscriptionState| {
        state.target() == Some(42) && state.obstacles().contains(&"Pinned".into())
    };
    subscription.until(pdp_sync, "the pin to hold", pinned).unwrap();
    set(&plane, &json!({ "freezes": freeze }));
    let token = subscription.request().unwrap();
    let seen = |state: &SubscriptionState| state.status("lastHandledReconcileAt") == token.as_str();
    subscription.until(pdp_sync, "the pin's end to be seen", seen).unwrap();
    subscription.until_level(pdp_sync, 42).unwrap();
    assert_eq!(subscription.state().status("policyLoosened"), &json!(true), "{}", subscription.describe());
    pdp_sync.wait("it to be told", || plane.told("PolicyLoosened") == (1, 1)).unwrap();
}

fn jiff_year() -> i16 {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year()
}
