//! A data plane with two components, each of a stage of its own: small enough to be played many times.

use pdp_e2e::cluster::{Cluster, Kind, PdpSync, Subscription};
use pdp_e2e::{Line, World};
use serde_json::{Value, json};

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
        Self::over(cluster, world, namespace, 41)
    }

    /// On its way to the first level of a world that has released it.
    pub(crate) fn over(cluster: &'a Cluster, world: World, namespace: &str, level: u32) -> Self {
        world.open(level, &["general=100"]).unwrap();
        let kubeconfig = cluster.admit_pdp_sync(namespace).unwrap();
        world.target_namespaces(level).unwrap().iter().for_each(|name| cluster.namespace(name).unwrap());
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
            self.killed_at(point, &[]);
            let now = self.floors();
            assert_eq!(floors.get_or_insert_with(|| now.clone()), &now, "{point} cost floors");
        }
        self.pdp_sync.start(&[]).unwrap();
    }

    /// Starts it, with further environment variables, and waits until it died at this point.
    pub(crate) fn killed_at(&self, point: &str, env: &[(&str, &str)]) {
        self.pdp_sync.start(&[&[("PDP_FAULT", point)], env].concat()).unwrap();
        let death = self
            .pdp_sync
            .died()
            .unwrap_or_else(|e| panic!("never came to {point}: {e:#}\n{}", self.subscription.describe()));
        assert!(death.contains("signal"), "{point}: {death}\n{}", self.pdp_sync.last_words());
    }

    /// Gives Helm values: to all components, or to one.
    pub(crate) fn give(&self, name: &str, values: &str) {
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": name, "namespace": self.subscription.namespace },
            "data": { "values.yaml": values },
        });
        self.cluster.api.apply(Kind::CONFIG_MAP, &map).unwrap();
    }

    /// What it has seen of the vendor, as it is stored.
    pub(crate) fn floors(&self) -> Value {
        let floors = self.stored("state", "floors.json");
        assert!(floors.is_string(), "no floors");
        floors
    }

    /// A piece of its state, base64; null if there is none. `part` is a Secret: `state`, `decision`, `identity`.
    pub(crate) fn stored(&self, part: &str, key: &str) -> Value {
        let (namespace, name) = (&self.subscription.namespace, format!("pdp-pdp-{part}"));
        let secret = self.cluster.api.get(Kind::SECRET, namespace, &name).unwrap();
        secret.unwrap_or_default()["data"][key].clone()
    }

    /// Deletes a Secret of its state.
    pub(crate) fn lose(&self, part: &str) {
        let name = format!("pdp-pdp-{part}");
        assert!(self.cluster.api.delete(Kind::SECRET, &self.subscription.namespace, &name).unwrap());
    }

    /// How many Kubernetes events, and how many notifications, told this reason.
    pub(crate) fn told(&self, reason: &str) -> (usize, usize) {
        let events = self.cluster.api.list(Kind::EVENT, &self.subscription.namespace).unwrap();
        let count = |all: &[Value]| all.iter().filter(|event| event["reason"] == reason).count();
        (count(&events), count(&self.pdp_sync.notifications.all()))
    }

    /// A component's object as it is now.
    pub(crate) fn live(&self, kind: Kind, name: &str) -> Value {
        self.cluster.api.get(kind, &self.subscription.namespace, name).unwrap().unwrap_or_default()
    }

    /// The identity of a component's HelmRelease, and how often Helm installed or upgraded it.
    pub(crate) fn release(&self, component: &str) -> (String, u64) {
        let found = self.cluster.api.get(Kind::HELM_RELEASE, &self.subscription.namespace, component);
        let found = found.unwrap().unwrap();
        let uid = found["metadata"]["uid"].as_str().unwrap().to_owned();
        (uid, found["status"]["history"][0]["version"].as_u64().unwrap())
    }
}

/// True if Helm's records in a namespace say that an upgrade is under way.
pub(crate) fn upgrading(cluster: &Cluster, namespace: &str) -> bool {
    let all = cluster.api.list(Kind::SECRET, namespace).unwrap();
    all.iter().any(|it| it["metadata"]["labels"]["status"] == "pending-upgrade")
}

/// A level with the two components alone.
pub(crate) fn release(
    world: &World,
    level: u32,
    suffix: &str,
    edit: impl FnOnce(&mut Line) -> anyhow::Result<()>,
) {
    release_of(world, level, suffix, &COMPONENTS, edit);
}

/// A level with these components alone.
pub(crate) fn release_of(
    world: &World,
    level: u32,
    suffix: &str,
    components: &[&str],
    edit: impl FnOnce(&mut Line) -> anyhow::Result<()>,
) {
    world
        .release_with(level, "emergency", |line| {
            line.in_namespaces(suffix)?;
            line.quick();
            line.keep(components);
            edit(line)
        })
        .unwrap();
}
