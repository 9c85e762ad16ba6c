//! The Git target through real Flux: 41, then 42, every object ready on exactly the digest of the release.

use pdp_e2e::World;
use pdp_e2e::cluster::{Kind, shared, troubles};
use serde_json::json;

use crate::digests::{level, runs_by_digest, until_applied};
use crate::scenario::Scenario;

const NAMESPACE: &str = "pdp-git";

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
        let outcome = until_applied(&cluster, NAMESPACE, &wanted.artifacts);
        assert!(outcome.is_ok(), "level {number}: {outcome:?}\n{}", troubles(&cluster.api, NAMESPACE));
        runs_by_digest(&cluster, &targets, &wanted.images);
    }
}
