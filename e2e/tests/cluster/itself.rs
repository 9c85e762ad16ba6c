//! pdp-sync as a component like others, but for two things: it may have to go first, and nobody else puts it back.

use pdp_e2e::cluster::{
    Cluster, Kind, Part, PdpSync, Subscription, SubscriptionState, alone, condition, shared,
};
use pdp_e2e::{Fate, Line, World};
use serde_json::json;

use crate::plane::upgrading;
use crate::scenario::Scenario;

/// Both change from level 41 to 42.
const COMPONENTS: [&str; 2] = ["certificate-manager", "pdp-sync"];

/// A data plane with pdp-sync among its components.
struct Plane<'a> {
    cluster: &'a Cluster,
    world: World,
    subscription: Subscription,
    pdp_sync: PdpSync,
}

impl<'a> Plane<'a> {
    fn at_41(cluster: &'a Cluster, name: &str, edit_42: impl Fn(&mut Line) -> anyhow::Result<()>) -> Self {
        let world = World::start().unwrap();
        for level in [41, 42] {
            let edit = |line: &mut Line| {
                line.in_namespaces(name)?;
                line.quick();
                line.keep(&COMPONENTS);
                if level == 42 { edit_42(line) } else { Ok(()) }
            };
            world.release_with(level, "emergency", edit).unwrap();
        }
        world.open(41, &["general=100"]).unwrap();
        let kubeconfig = cluster.admit_pdp_sync(name).unwrap();
        world.target_namespaces(41).unwrap().iter().for_each(|it| cluster.namespace(it).unwrap());
        let subscription = cluster.subscription(&world, name).unwrap().apply().unwrap();
        let pdp_sync = cluster.start_pdp_sync(name, &kubeconfig, &[]).unwrap();
        subscription.until_level(&pdp_sync, 41).unwrap();
        world.open(42, &["general=100"]).unwrap();
        Self { cluster, world, subscription, pdp_sync }
    }

    fn sources(&self) -> [String; 2] {
        COMPONENTS.map(|name| {
            let found = self.cluster.api.get(Kind::HELM_RELEASE, &self.subscription.namespace, name);
            found.unwrap().unwrap()["spec"]["chartRef"]["name"].as_str().unwrap().to_owned()
        })
    }
}

#[test]
fn a_level_that_needs_a_newer_pdp_sync_begins_with_it_alone() {
    let cluster = shared();
    let _scenario =
        Scenario::begin("itself: a newer pdp-sync goes first and alone, then it is its successor's turn");
    let plane = Plane::at_41(&cluster, "itself", |line| {
        line.release["requires"] = json!({ "pdpSync": ">=9" });
        line.set("pdp-sync", "version", json!("9.1.0"))?;
        line.replace("pdp-sync", "Chart.yaml", "0.1.0", "9.1.0")
    });
    let first = plane.world.path("level-41/release-pdp-2026-41.json");
    let before = digests(&first);
    let waits = |state: &SubscriptionState| {
        let words = state.condition("Reconciling")["message"].as_str().unwrap_or_default().to_owned();
        state.phase() == "applying" && words.contains("SuccessorStarts")
    };
    plane.subscription.until(&plane.pdp_sync, "the successor's turn", waits).unwrap();
    let now = plane.sources();
    assert!(now[0].ends_with(&before[0]), "nothing else was touched: {now:?}");
    assert!(!now[1].ends_with(&before[1]), "the newer pdp-sync is there: {now:?}");
    assert_eq!(plane.subscription.state().level(), Some(41));
}

/// The first twelve digits of both components' digests, as their sources are named.
fn digests(release: &std::path::Path) -> [String; 2] {
    let release: serde_json::Value = serde_json::from_slice(&std::fs::read(release).unwrap()).unwrap();
    COMPONENTS.map(|name| {
        let all = release["components"].as_array().unwrap();
        let component = all.iter().find(|component| component["name"] == name).unwrap();
        let digest = component["artifact"]["chart"]["digest"].as_str().unwrap();
        digest.trim_start_matches("sha256:")[..12].to_owned()
    })
}

#[test]
fn a_pdp_sync_that_never_gets_up_is_put_back_by_helm_and_found_by_the_old_one() {
    let cluster = shared();
    let _scenario = Scenario::begin("itself: a pdp-sync that never gets up is put back though none is there");
    let plane = Plane::at_41(&cluster, "itself-bad", |line| line.fate("pdp-sync", Fate::NeverReady));
    let live = || cluster.api.get(Kind::HELM_RELEASE, "itself-bad", "pdp-sync").unwrap().unwrap();
    let upgraded = || live()["status"]["lastAttemptedGeneration"].as_u64() > Some(1);
    plane.pdp_sync.wait("its own upgrade to begin", upgraded).unwrap();
    // As its Deployment does before the new one starts.
    plane.pdp_sync.kill();
    let back = || condition(&live(), "Ready")["reason"] == "RollbackSucceeded";
    cluster.wait_for("Helm to put it back", back).unwrap();
    plane.pdp_sync.start(&[]).unwrap();
    let failed = |state: &SubscriptionState| state.reason("Stalled") == "LevelFailed";
    plane.subscription.until(&plane.pdp_sync, "the old one to find the failure", failed).unwrap();
    assert_eq!(plane.subscription.state().level(), Some(41));
}

#[test]
fn a_pdp_sync_that_never_gets_up_goes_back_although_helm_forgot_the_good_one() {
    let mut cluster = alone();
    let _scenario = Scenario::begin(
        "itself: helm-controller killed in mid-upgrade of a bad pdp-sync; the old one puts it back",
    );
    let Plane { world: _world, subscription, pdp_sync, .. } =
        Plane::at_41(&cluster, "itself-killed", |line| line.fate("pdp-sync", Fate::NeverReady));
    let live = |cluster: &Cluster| {
        cluster.api.get(Kind::HELM_RELEASE, "itself-killed", "pdp-sync").unwrap().unwrap()
    };
    let good = live(&cluster)["status"]["history"][0]["ociDigest"].clone();
    let under_way = || upgrading(&cluster, "flux-system-itself-killed");
    pdp_sync.wait("its own upgrade to be under way", under_way).unwrap();
    cluster.stop(Part::HelmController);
    cluster.start_again(Part::HelmController).unwrap();
    let failed = |state: &SubscriptionState| state.reason("Stalled") == "LevelFailed";
    subscription.until(&pdp_sync, "the old one to go back", failed).unwrap();
    assert_eq!(subscription.state().level(), Some(41));
    let back = || {
        let live = live(&cluster);
        condition(&live, "Ready")["status"] == "True" && live["status"]["history"][0]["ociDigest"] == good
    };
    cluster.wait_for("the good pdp-sync to be installed", back).unwrap();
}

/// A pod of a Deployment's, as kwok makes it ready.
fn pod(name: &str) -> serde_json::Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "namespace": "itself-elder", "labels": { "app": "pdp-sync" } },
        "spec": { "containers": [{ "name": "main", "image": "registry.example/pdp-sync:1" }] },
    })
}

#[test]
fn a_new_pdp_sync_is_ready_and_makes_no_pass_beside_the_elder() {
    let cluster = shared();
    let _scenario = Scenario::begin("itself: the new one is ready, and begins when the elder one ends");
    let world = World::start().unwrap();
    world.release_variant(41, "itself-elder").unwrap();
    world.open(41, &["general=100"]).unwrap();
    let kubeconfig = cluster.admit_pdp_sync("itself-elder").unwrap();
    world.target_namespaces(41).unwrap().iter().for_each(|it| cluster.namespace(it).unwrap());
    for name in ["elder", "own"] {
        cluster.api.apply(Kind::POD, &pod(name)).unwrap();
        let ready = || {
            let found = cluster.api.get(Kind::POD, "itself-elder", name).unwrap().unwrap_or_default();
            condition(&found, "Ready")["status"] == "True"
        };
        cluster.wait_for("the pod to be ready", ready).unwrap();
    }
    let subscription = cluster.subscription(&world, "itself-elder").unwrap().apply().unwrap();
    let env = [("POD_NAME", "own"), ("POD_SELECTOR", "app=pdp-sync")];
    let pdp_sync = cluster.start_pdp_sync("itself-elder", &kubeconfig, &env).unwrap();
    pdp_sync.ready().unwrap();
    let waits = || pdp_sync.log().matches("waiting for the elder pdp-sync to end").count() >= 2;
    pdp_sync.wait("it to look twice", waits).unwrap();
    assert!(subscription.state().0["status"]["conditions"].is_null(), "{}", subscription.describe());
    cluster.api.delete(Kind::POD, "itself-elder", "elder").unwrap();
    subscription.until(&pdp_sync, "it to begin", |state| state.target() == Some(41)).unwrap();
}
