//! pdp-sync killed at every step of a level: whoever starts next goes on where it ended, nothing is done twice.

use std::collections::BTreeSet;
use std::path::Path;

use pdp_e2e::cluster::{Cluster, Kind, PdpSync, Subscription, shared};
use pdp_e2e::{Fate, Line, World};
use serde_json::{Value, json};

use crate::scenario::Scenario;

/// One component of each of two stages; both change from level 41 to 42.
const COMPONENTS: [&str; 2] = ["certificate-manager", "choreo-connect-enforcer"];

/// The steps of a level that goes well, in order; the last two on a pass that finds nothing to do.
const FORWARD: [&str; 10] = [
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
const FAILING: [&str; 8] = [
    "before-going-back",
    "after-going-back",
    "before-back-3",
    "after-back-3",
    "before-back-2",
    "after-back-2",
    "before-quarantine",
    "after-quarantine",
];

/// A data plane with a small level 41, and level 42 published but not open yet.
struct Plane<'a> {
    cluster: &'a Cluster,
    world: World,
    subscription: Subscription,
    pdp_sync: PdpSync,
}

impl<'a> Plane<'a> {
    fn at_41(
        cluster: &'a Cluster,
        namespace: &str,
        edit_42: impl FnOnce(&mut Line) -> anyhow::Result<()>,
    ) -> Self {
        let world = World::start().unwrap();
        release(&world, 41, namespace, |_| Ok(()));
        release(&world, 42, namespace, edit_42);
        world.open(41, &["general=100"]).unwrap();
        let kubeconfig = cluster.admit_pdp_sync(namespace).unwrap();
        world.target_namespaces(41).unwrap().iter().for_each(|name| cluster.namespace(name).unwrap());
        let subscription = cluster.subscription(&world, namespace).unwrap().apply().unwrap();
        let pdp_sync = cluster.start_pdp_sync(namespace, &kubeconfig, &[]).unwrap();
        subscription.until_level(&pdp_sync, 41).unwrap();
        Self { cluster, world, subscription, pdp_sync }
    }

    /// Opens 42 while nobody looks, so that the first step is still to come.
    fn open_42(&self) {
        self.pdp_sync.kill();
        self.world.open(42, &["general=100"]).unwrap();
    }

    /// Lets it die at each point in turn: each process begins where the one before was killed.
    fn killed_at_each(&self, points: &[&str]) {
        let mut floors = None;
        for point in points {
            self.pdp_sync.start(&[("PDP_FAULT", point)]).unwrap();
            let death = self
                .pdp_sync
                .died()
                .unwrap_or_else(|e| panic!("never came to {point}: {e:#}\n{}", self.subscription.describe()));
            assert!(death.contains("signal"), "{point}: {death}\n{}", self.pdp_sync.last_words());
            let now = self.floors();
            assert_eq!(floors.get_or_insert_with(|| now.clone()), &now, "{point} cost floors");
        }
        self.pdp_sync.start(&[]).unwrap();
    }

    fn floors(&self) -> Value {
        let namespace = &self.subscription.namespace;
        let secret = self.cluster.api.get(Kind::SECRET, namespace, "pdp-pdp-state").unwrap();
        let floors = secret.unwrap_or_default()["data"]["floors.json"].clone();
        assert!(floors.is_string(), "no floors");
        floors
    }

    /// The identity of a component's HelmRelease, and how often Helm installed or upgraded it.
    fn release(&self, component: &str) -> (String, u64) {
        let found = self.cluster.api.get(Kind::HELM_RELEASE, &self.subscription.namespace, component);
        let found = found.unwrap().unwrap();
        let uid = found["metadata"]["uid"].as_str().unwrap().to_owned();
        (uid, found["status"]["history"][0]["version"].as_u64().unwrap())
    }
}

/// A level with the two components alone.
fn release(world: &World, level: u32, suffix: &str, edit: impl FnOnce(&mut Line) -> anyhow::Result<()>) {
    world
        .release_with(level, "emergency", |line| {
            line.in_namespaces(suffix)?;
            line.quick();
            let all = line.release["components"].as_array().cloned().unwrap_or_default();
            let names = all.iter().filter_map(|component| component["name"].as_str());
            names.filter(|name| !COMPONENTS.contains(name)).for_each(|name| line.forget(name));
            edit(line)
        })
        .unwrap();
}

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
