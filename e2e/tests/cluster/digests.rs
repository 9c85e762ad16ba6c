//! What a release names, what Flux says that it applied, and what runs: compared digest by digest.

use std::collections::BTreeMap;

use anyhow::Context;
use pdp_e2e::World;
use pdp_e2e::cluster::{Cluster, Kind, condition};
use serde_json::Value;

/// What a level's descriptor names: artifacts by component, images by digest.
pub(crate) struct Level {
    pub(crate) artifacts: BTreeMap<String, String>,
    pub(crate) images: Vec<String>,
}

/// What this world released as a level, for one platform.
pub(crate) fn level(world: &World, level: u32, platform: &str) -> Level {
    let file = world.path(&format!("level-{level}/release-pdp-2026-{level}.json"));
    let release: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let here = |component: &&Value| {
        let platforms = component["platforms"].as_array().cloned().unwrap_or_default();
        platforms.is_empty() || platforms.iter().any(|p| p == platform)
    };
    let components: Vec<_> = release["components"].as_array().unwrap().iter().filter(here).collect();
    let digest = |c: &Value| {
        let artifact = c["artifact"].as_object().unwrap().values().next().unwrap();
        artifact["digest"].as_str().unwrap().to_owned()
    };
    let artifacts = components.iter().map(|c| (c["name"].as_str().unwrap().to_owned(), digest(c))).collect();
    let images = components.iter().flat_map(|c| c["images"].as_array().unwrap());
    let images = images.map(|image| image["digest"].as_str().unwrap().to_owned()).collect();
    Level { artifacts, images }
}

/// What Flux says that it applied: component to digest, only those that are ready and settled on it.
fn applied(cluster: &Cluster, namespace: &str) -> BTreeMap<String, String> {
    let settled = |object: &Value| {
        condition(object, "Ready")["status"] == "True"
            && condition(object, "Reconciling")["status"] != "True"
            && object["status"]["observedGeneration"] == object["metadata"]["generation"]
    };
    let mut found = BTreeMap::new();
    for (kind, revision) in
        [(Kind::HELM_RELEASE, "lastAttemptedRevisionDigest"), (Kind::KUSTOMIZATION, "lastAppliedRevision")]
    {
        for object in cluster.api.list(kind, namespace).unwrap().iter().filter(|object| settled(object)) {
            let digest = object["status"][revision].as_str().unwrap_or_default();
            found.insert(object["metadata"]["name"].as_str().unwrap().to_owned(), digest.to_owned());
        }
    }
    found
}

/// Waits until Flux says that it applied all of these.
pub(crate) fn until_applied(
    cluster: &Cluster,
    namespace: &str,
    wanted: &BTreeMap<String, String>,
) -> anyhow::Result<()> {
    let missing = || {
        let found = applied(cluster, namespace);
        let missing = wanted.iter().filter(|(name, digest)| found.get(*name) != Some(*digest));
        missing.map(|(name, digest)| format!("{name} {digest}")).collect::<Vec<_>>()
    };
    let waited = cluster.wait_for("every component to be applied", || missing().is_empty());
    waited.with_context(|| format!("not applied: {:?}", missing()))
}

/// Every container of a component runs an image of the release, by digest.
pub(crate) fn runs_by_digest(cluster: &Cluster, namespaces: &[String], images: &[String]) {
    let mut seen = 0;
    for pod in namespaces.iter().flat_map(|name| cluster.api.list(Kind::POD, name).unwrap()) {
        if pod["metadata"]["deletionTimestamp"].is_string() {
            continue;
        }
        for container in pod["spec"]["containers"].as_array().unwrap() {
            let image = container["image"].as_str().unwrap();
            let digest = image.split_once('@').map(|(_, digest)| digest.to_owned());
            assert!(
                digest.is_some_and(|digest| images.contains(&digest)),
                "{image} is no image of the release"
            );
            seen += 1;
        }
    }
    assert!(seen > 0, "no pod runs");
}
