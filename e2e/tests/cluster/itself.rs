//! pdp-sync as a component like others, but for two things: it may have to go first, and nobody else puts it back.

use pdp_e2e::cluster::{Cluster, Kind, PdpSync, Subscription, SubscriptionState, condition, shared};
use pdp_e2e::{Fate, Line, World};
use serde_json::json;

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
