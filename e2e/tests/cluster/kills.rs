//! pdp-sync killed at every step of a level: whoever starts next goes on where it ended, nothing is done twice.

use std::collections::BTreeSet;
use std::path::Path;

use pdp_e2e::Fate;
use pdp_e2e::cluster::shared;
use serde_json::json;

use crate::plane::{COMPONENTS, Plane};
use crate::scenario::Scenario;

/// The steps of a level that goes well, in order; the last two on a pass that finds nothing to do.
pub(crate) const FORWARD: [&str; 10] = [
    "before-record",
    "after-record",
    "before-write-2",
    "after-write-2",
    "before-write-3",
    "after-write-3",
    "before-finish",
    "after-finish",
    "before-status",
    "after-status",
];
/// Those of a person's rollback, last stage first.
const TAKING_BACK: [&str; 5] =
    ["before-back-3", "after-back-3", "before-back-2", "after-back-2", "before-taken-back"];
/// Those of a level whose last stage fails.
pub(crate) const FAILING: [&str; 8] = [
    "before-going-back",
    "after-going-back",
    "before-back-3",
    "after-back-3",
    "before-back-2",
    "after-back-2",
    "before-quarantine",
    "after-quarantine",
];

#[test]
fn killed_at_every_step_of_a_level_and_of_a_rollback() {
    let cluster = shared();
    let _scenario = Scenario::begin("pdp-sync killed at every step of a level, and of a person's rollback");
    let plane = Plane::at_41(&cluster, "kills-forward", |_| Ok(()));
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let before = COMPONENTS.map(|name| plane.release(name));
    plane.open_42();
    plane.killed_at_each(&FORWARD);
    subscription.until_level(pdp_sync, 42).unwrap();
    let healthy = |level: u64| (level, "healthy".to_owned());
    assert_eq!(subscription.state().history(), [healthy(42), healthy(41)]);
    for (name, (uid, version)) in COMPONENTS.iter().zip(&before) {
        assert_eq!(
            plane.release(name),
            (uid.clone(), version + 1),
            "{name}: upgraded once, not installed anew"
        );
    }

    pdp_sync.kill();
    subscription.patch(&json!({ "spec": { "rollback": { "from": 42, "reason": "a test" } } })).unwrap();
    plane.killed_at_each(&TAKING_BACK);
    let taken_back = subscription.until(pdp_sync, "42 to be taken back", |state| {
        state.phase() == "takenBack" && state.level() == Some(41)
    });
    taken_back.unwrap();
    let history = subscription.state().history();
    assert_eq!(history, [(42, "takenBack".to_owned()), healthy(42), healthy(41)]);
    for (name, (uid, version)) in COMPONENTS.iter().zip(&before) {
        assert_eq!(plane.release(name), (uid.clone(), version + 2), "{name}: went back once");
    }
}

#[test]
fn killed_at_every_step_of_a_failure() {
    let cluster = shared();
    let _scenario = Scenario::begin("pdp-sync killed at every step of a failure");
    let plane = Plane::at_41(&cluster, "kills-failing", |line| {
        line.fate("choreo-connect-enforcer", Fate::NeverReady)
    });
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let (uid, version) = plane.release("certificate-manager");
    plane.open_42();
    plane.killed_at_each(&FAILING);
    let quarantined = subscription.until(pdp_sync, "42 to be quarantined", |state| {
        state.phase() == "quarantined" && state.level() == Some(41)
    });
    quarantined.unwrap();
    let history = subscription.state().history();
    assert_eq!(history, [(42, "failed".to_owned()), (41, "healthy".to_owned())]);
    let now = plane.release("certificate-manager");
    assert_eq!(now, (uid, version + 2), "certificate-manager: upgraded once, went back once");
}

/// Whoever adds a fault point adds a test.
#[test]
fn every_fault_point_of_the_controller_is_tested() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pdp-sync/src");
    let mut points = BTreeSet::new();
    for file in ["reconcile.rs", "flux", "controller"] {
        fault_points(&sources.join(file), &mut points);
    }
    let tested = FORWARD.iter().chain(&TAKING_BACK).chain(&FAILING);
    let tested: BTreeSet<_> = tested.map(|point| point.replace(['2', '3'], "{stage}")).collect();
    assert_eq!(points, tested);
}

fn fault_points(path: &Path, points: &mut BTreeSet<String>) {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).unwrap();
        return entries.for_each(|entry| fault_points(&entry.unwrap().path(), points));
    }
    let text = std::fs::read_to_string(path).unwrap();
    let calls = text.split("fault::point(").skip(1);
    points.extend(calls.map(|call| call.split('"').nth(1).unwrap().to_owned()));
}
