//! A data plane with two components, each of a stage of its own: small enough to be played many times.

use pdp_e2e::cluster::{Cluster, Kind, PdpSync, Subscription};
use pdp_e2e::{Line, World};
use serde_json::Value;

/// One component of each of two stages; both change from level 41 to 42.
pub(crate) const COMPONENTS: [&str; 2] = ["certificate-manager", "choreo-connect-enforcer"];

/// A data plane with a small level 41, and level 42 published but not open yet.
pub(crate) struct Plane<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) world: World,
    pub(crate) subscription: Subscription,
    pub(crate) pdp_sync: PdpSync,
}

impl<'a> Plane<'a> {
    pub(crate) fn at_41(
        cluster: &'a Cluster,
        namespace: &str,
        edit_42: impl FnOnce(&mut Line) -> anyhow::Result<()>,
    ) -> Self {
        let plane = Self::before_41(cluster, namespace, |_| Ok(()), edit_42);
        plane.subscription.until_level(&plane.pdp_sync, 41).unwrap();
        plane
    }

    /// The same before anything is installed: level 41 is open.
    pub(crate) fn before_41(
        cluster: &'a Cluster,
        namespace: &str,
        edit_41: impl FnOnce(&mut Line) -> anyhow::Result<()>,
        edit_42: impl FnOnce(&mut Line) -> anyhow::Result<()>,
    ) -> Self {
        let world = World::start().unwrap();
        release(&world, 41, namespace, edit_41);
        release(&world, 42, namespace, edit_42);
        world.open(41, &["general=100"]).unwrap();
        let kubeconfig = cluster.admit_pdp_sync(namespace).unwrap();
        world.target_namespaces(41).unwrap().iter().for_each(|name| cluster.namespace(name).unwrap());
        let subscription = cluster.subscription(&world, namespace).unwrap().apply().unwrap();
        let pdp_sync = cluster.start_pdp_sync(namespace, &kubeconfig, &[]).unwrap();
        Self { cluster, world, subscription, pdp_sync }
    }

    /// Opens 42 while nobody looks, so that the first step is still to come.
    pub(crate) fn open_42(&self) {
        self.pdp_sync.kill();
        self.world.open(42, &["general=100"]).unwrap();
    }

    /// Lets it die at each point in turn: each process begins where the one before was killed.
    pub(crate) fn killed_at_each(&self, points: &[&str]) {
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
    pub(crate) fn release(&self, component: &str) -> (String, u64) {
        let found = self.cluster.api.get(Kind::HELM_RELEASE, &self.subscription.namespace, component);
        let found = found.unwrap().unwrap();
        let uid = found["metadata"]["uid"].as_str().unwrap().to_owned();
        (uid, found["status"]["history"][0]["version"].as_u64().unwrap())
    }
}

/// A level with the two components alone.
pub(crate) fn release(
    world: &World,
    level: u32,
    suffix: &str,
    edit: impl FnOnce(&mut Line) -> anyhow::Result<()>,
) {
    world
        .release_with(level, "emergency", |line| {
            line.in_namespaces(suffix)?;
            line.quick();
            line.keep(&COMPONENTS);
            edit(line)
        })
        .unwrap();
}
