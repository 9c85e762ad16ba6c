//! A decision that was edited by hand is not followed; one that was deleted is made anew.

use base64::{Engine, engine::general_purpose::STANDARD};
use pdp_e2e::cluster::{Kind, SubscriptionState, shared};
use serde_json::{Value, json};

use crate::plane::{COMPONENTS, Plane};
use crate::scenario::Scenario;

const RECORD: &str = "record.json";

fn write(plane: &Plane<'_>, bytes: &[u8]) {
    let patch = json!({ "data": { RECORD: STANDARD.encode(bytes) } });
    let namespace = &plane.subscription.namespace;
    plane.cluster.api.patch(Kind::SECRET, namespace, "pdp-pdp-decision", &patch).unwrap();
}

fn record(plane: &Plane<'_>) -> Vec<u8> {
    STANDARD.decode(plane.stored("decision", RECORD).as_str().expect("a decision")).unwrap()
}

/// Generations of all appliers: they tell whether anything was written.
fn written(plane: &Plane<'_>) -> [Value; 2] {
    COMPONENTS.map(|name| plane.live(Kind::HELM_RELEASE, name)["metadata"]["generation"].clone())
}

#[test]
fn an_edited_decision_is_not_followed() {
    let cluster = shared();
    let _scenario = Scenario::begin("state: a decision edited by hand, to garbage and to another level");
    let plane = Plane::at_41(&cluster, "forged", |_| Ok(()));
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let before = written(&plane);
    plane.open_42();
    plane.killed_at("after-record", &[]);
    let (good, floors) = (record(&plane), plane.floors());
    let begun: Value = serde_json::from_slice(&good).unwrap();
    let forged = |edit: &dyn Fn(&mut Value)| {
        let mut record = begun.clone();
        edit(&mut record);
        serde_json::to_vec(&record).unwrap()
    };
    let swapped = forged(&|record| record["target"]["descriptor"] = record["lastGood"]["descriptor"].clone());
    let renamed = forged(&|record| record["target"]["level"] = json!(99));
    let critical = forged(&|record| record["critical"] = json!(["tomorrow"]));
    for (bytes, code) in [
        (b"no json at all".as_slice(), "Unreadable"),
        (&swapped, "HashMismatch"),
        (&renamed, "HashMismatch"),
        (&critical, "UnknownCriticalFeature"),
    ] {
        pdp_sync.kill();
        write(&plane, bytes);
        pdp_sync.start(&[]).unwrap();
        let token = subscription.request().unwrap();
        let said = |state: &SubscriptionState| {
            state.reason("Stalled") == code && state.status("lastHandledReconcileAt") == token.as_str()
        };
        subscription.until(pdp_sync, &format!("{code} to be told"), said).unwrap();
        let state = subscription.state();
        assert_eq!((state.level(), state.reason("Ready")), (Some(41), code.to_owned()));
        assert_eq!(written(&plane), before, "{code}: nothing is applied");
        assert_eq!(record(&plane), bytes, "{code}: nobody wrote over it");
        assert_eq!(plane.floors(), floors, "{code}");
    }
    pdp_sync.kill();
    write(&plane, &good);
    pdp_sync.start(&[]).unwrap();
    subscription.until_level(pdp_sync, 42).unwrap();
    assert!(!subscription.state().is("Stalled"));
}

#[test]
fn a_deleted_decision_is_made_anew() {
    let cluster = shared();
    let _scenario = Scenario::begin("state: the decision deleted at rest and in mid-apply");
    let plane = Plane::at_41(&cluster, "undecided", |_| Ok(()));
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let before = COMPONENTS.map(|name| plane.release(name));
    let decided = record(&plane);
    plane.lose("decision");
    pdp_sync.wait("another decision", || plane.stored("decision", RECORD).is_string()).unwrap();
    subscription.until_level(pdp_sync, 41).unwrap();
    assert_ne!(record(&plane), decided);
    assert_eq!(COMPONENTS.map(|name| plane.release(name)), before, "Helm had nothing to do");

    plane.open_42();
    let floors = {
        plane.killed_at("after-write-2", &[]);
        plane.floors()
    };
    plane.lose("decision");
    pdp_sync.start(&[]).unwrap();
    subscription.until_level(pdp_sync, 42).unwrap();
    for (name, (uid, version)) in COMPONENTS.iter().zip(before) {
        assert_eq!(plane.release(name), (uid, version + 1), "{name}: upgraded once");
    }
    assert_eq!(plane.floors(), floors, "floors are apart from it");
    assert_eq!(plane.told("FloorsRebuilt"), (0, 0));
}
