//! The Git target through real Flux: 41, then 42, every object ready on exactly the digest of the release.

use std::collections::BTreeMap;

use anyhow::Context;
use pdp_e2e::World;
use pdp_e2e::cluster::{Cluster, Kind, condition, shared, troubles};
use serde_json::{Value, json};

use crate::scenario::Scenario;

const NAMESPACE: &str = "pdp-git";

/// What a level's descriptor names: artifacts by component, images by digest.
struct Level {
    artifacts: BTreeMap<String, String>,
    images: Vec<String>,
}

fn level(world: &World, level: u32, platform: &str) -> Level {
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
fn applied(cluster: &Cluster) -> BTreeMap<String, String> {
    let settled = |object: &Value| {
        condition(object, "Ready")["status"] == "True"
            && condition(object, "Reconciling")["status"] != "True"
            && object["status"]["observedGeneration"] == object["metadata"]["generation"]
    };
    let mut found = BTreeMap::new();
    for (kind, revision) in
        [(Kind::HELM_RELEASE, "lastAttemptedRevisionDigest"), (Kind::KUSTOMIZATION, "lastAppliedRevision")]
    {
        for object in cluster.api.list(kind, NAMESPACE).unwrap().iter().filter(|object| settled(object)) {
            let digest = object["status"][revision].as_str().unwrap_or_default();
            found.insert(object["metadata"]["name"].as_str().unwrap().to_owned(), digest.to_owned());
        }
    }
    found
}

#[test]
fn what_the_git_target_writes_flux_applies_digest_by_digest() {
    let world = World::start().unwrap();
    for level in [41, 42] {
        world.release_variant(level, "git").unwrap();
    }
    world.open(41, &["general=100"]).unwrap();
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    let text = std::fs::read_to_string(&plane.subscription).unwrap();
    let text = text.replace("namespace: flux-system", &format!("namespace: {NAMESPACE}"));
    std::fs::write(&plane.subscription, text).unwrap();
    assert!(plane.pass(&world, &[]).unwrap().ok());
    assert_eq!(plane.level(), Some(41));

    let cluster = shared();
    let _scenario =
        Scenario::begin("Git target: what pdp-sync writes Flux applies, 41 then 42, digest by digest");
    let targets = world.target_namespaces(41).unwrap();
    targets.iter().map(String::as_str).chain([NAMESPACE]).for_each(|name| cluster.namespace(name).unwrap());
    let git = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
        "metadata": { "name": "customer", "namespace": NAMESPACE },
        "spec": { "interval": "2s", "url": world.git.url(&plane.name), "ref": { "branch": "main" } },
    });
    let all = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": { "name": "customer", "namespace": NAMESPACE },
        "spec": {
            "interval": "1h", "path": "./pdp", "prune": false,
            "sourceRef": { "kind": "GitRepository", "name": "customer" },
        },
    });
    cluster.api.apply(Kind::GIT_REPOSITORY, &git).unwrap();
    cluster.api.apply(Kind::KUSTOMIZATION, &all).unwrap();
    for number in [41, 42] {
        if number == 42 {
            world.open(42, &["general=100"]).unwrap();
            assert!(plane.pass(&world, &[]).unwrap().ok());
        }
        let wanted = level(&world, number, "azure");
        let outcome = until_applied(&cluster, &wanted.artifacts);
        assert!(outcome.is_ok(), "level {number}: {outcome:?}\n{}", troubles(&cluster.api, NAMESPACE));
        runs_by_digest(&cluster, &targets, &wanted.images);
    }
}

fn until_applied(cluster: &Cluster, wanted: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let missing = || {
        let found = applied(cluster);
        let missing = wanted.iter().filter(|(name, digest)| found.get(*name) != Some(*digest));
        missing.map(|(name, digest)| format!("{name} {digest}")).collect::<Vec<_>>()
    };
    let waited = cluster.wait_for("every component to be applied", || missing().is_empty());
    waited.with_context(|| format!("not applied: {:?}", missing()))
}

/// Every container of a component runs an image of the release, by digest.
fn runs_by_digest(cluster: &Cluster, namespaces: &[String], images: &[String]) {
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
