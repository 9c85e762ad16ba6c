//! The vendor's catalog and registry move: Flux's sources follow, nothing is installed again, and the old hosts may go.

use pdp_e2e::cluster::{Cluster, Kind, PdpSync, Subscription, SubscriptionState, shared};
use pdp_e2e::{GitHost, Registry, World};
use serde_json::{Value, json};

use crate::plane::{COMPONENTS, release};
use crate::scenario::Scenario;

const NAMESPACE: &str = "moving";

/// A vendor with two Git hosts and two doors to its registry, and a data plane that names the old ones.
struct House<'a> {
    cluster: &'a Cluster,
    world: World,
    git: [GitHost; 2],
    registry: [Registry; 2],
    subscription: Subscription,
    pdp_sync: PdpSync,
}

impl<'a> House<'a> {
    /// On its way to level 41.
    fn new(cluster: &'a Cluster) -> Self {
        let world = World::start().unwrap();
        let git = ["old", "new"].map(|name| GitHost::start(&world.path(name)).unwrap());
        let registry = [(); 2].map(|()| world.registry.beside().unwrap());
        let url = git.each_ref().map(|host| host.create("catalog").unwrap());
        level(&world, 41, &registry[0]);
        publish(&world, &git);
        let kubeconfig = cluster.admit_pdp_sync(NAMESPACE).unwrap();
        world.target_namespaces(41).unwrap().iter().for_each(|name| cluster.namespace(name).unwrap());
        let catalog = json!({ "git": { "url": url[0], "branch": "catalog" } });
        let subscription = cluster.subscription(&world, NAMESPACE).unwrap().with("mirror", Value::Null);
        let subscription = subscription.with("catalog", catalog).apply().unwrap();
        let pdp_sync = cluster.start_pdp_sync(NAMESPACE, &kubeconfig, &[]).unwrap();
        Self { cluster, world, git, registry, subscription, pdp_sync }
    }

    /// Both addresses move, and both old ones say so.
    fn moves(&self) {
        let [old, new] = self.git.each_ref().map(|host| host.url("catalog"));
        self.world.move_address("catalog", &old, &new).unwrap();
        let [old, new] = self.registry.each_ref().map(|door| format!("{}/pdp", door.host()));
        self.world.move_address("artifacts", &old, &new).unwrap();
        publish(&self.world, &self.git);
    }

    fn has_followed(state: &SubscriptionState) -> bool {
        let moves = state.status("moves").as_array().cloned().unwrap_or_default();
        moves.len() == 2 && moves.iter().all(|it| it["state"] == "followed")
    }

    /// True if each source of the components in use is at this door of the registry.
    fn sources_are_at(&self, door: &Registry) -> bool {
        let start = format!("oci://{}/", door.host());
        COMPONENTS.iter().all(|component| {
            let applier = self.cluster.api.get(Kind::HELM_RELEASE, NAMESPACE, component).unwrap().unwrap();
            let name = applier["spec"]["chartRef"]["name"].as_str().unwrap().to_owned();
            let source = self.cluster.api.get(Kind::OCI_REPOSITORY, NAMESPACE, &name).unwrap();
            source.is_some_and(|it| it["spec"]["url"].as_str().unwrap().starts_with(&start))
        })
    }

    /// How often Helm installed or upgraded each component.
    fn revisions(&self) -> Vec<Value> {
        let all = COMPONENTS.iter().map(|name| self.cluster.api.get(Kind::HELM_RELEASE, NAMESPACE, name));
        all.map(|it| it.unwrap().unwrap()["status"]["history"][0]["version"].clone()).collect()
    }
}

/// A level whose artifacts lie behind a door of the registry.
fn level(world: &World, level: u32, door: &Registry) {
    let repository = format!("{}/pdp/pdp-2026", door.host());
    release(world, level, NAMESPACE, |line| {
        line.release["repository"] = repository.into();
        Ok(())
    });
    world.open(level, &["general=100"]).unwrap();
}

/// Both hosts hold what the vendor has published.
fn publish(world: &World, git: &[GitHost; 2]) {
    let files = world.git.files("catalog", "catalog").unwrap();
    git.iter().for_each(|host| host.overwrite("catalog", "catalog", &files).unwrap());
}

#[test]
fn sources_follow_the_vendors_new_addresses_and_the_old_hosts_may_go() {
    let cluster = shared();
    let _scenario = Scenario::begin("moving: catalog and registry move; sources follow, the old hosts go");
    let house = House::new(&cluster);
    let (subscription, pdp_sync) = (&house.subscription, &house.pdp_sync);
    subscription.until_level(pdp_sync, 41).unwrap();
    let (before, [old, new]) = (house.revisions(), &house.registry);
    assert!(house.sources_are_at(old));

    house.moves();
    subscription.until(pdp_sync, "both moves to be followed", House::has_followed).unwrap();
    pdp_sync.wait("the sources to follow", || house.sources_are_at(new)).unwrap();
    subscription.until_level(pdp_sync, 41).unwrap();
    assert_eq!(house.revisions(), before, "nothing is installed again");

    house.git[0].stop();
    old.stop();
    level(&house.world, 42, old);
    publish(&house.world, &house.git);
    subscription.until_level(pdp_sync, 42).unwrap();
    assert!(house.sources_are_at(new) && House::has_followed(&subscription.state()));
    assert!(!subscription.state().is("HeldByEdit"), "{}", subscription.describe());
}
