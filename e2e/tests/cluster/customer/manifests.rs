//! A component of plain manifests: forgotten it stays, `removed:` takes it away; suspended it isn't taken away.

use pdp_e2e::World;
use pdp_e2e::cluster::{Kind, SubscriptionState, shared};
use serde_json::json;

use crate::plane::{COMPONENTS, Plane, release_of};
use crate::scenario::Scenario;

const NAMESPACE: &str = "manifests";
const PLAIN: &str = "flux-kustomize-controller";

/// A namespace and a definition, and an object that the API server refuses.
const REFUSED: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: left-behind}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: leftovers.example.com}
spec:
  group: example.com
  names: {kind: Leftover, plural: leftovers}
  scope: Cluster
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object}}
---
apiVersion: v1
kind: Service
metadata: {name: refused, namespace: left-behind}
spec: {ports: [{port: 99999}]}
";

#[test]
fn what_a_refused_kustomization_leaves_behind_is_told() {
    let cluster = shared();
    let _scenario = Scenario::begin("manifests: refused after namespaces and definitions were made; told");
    let world = World::start().unwrap();
    release_of(&world, 41, "left", &[PLAIN], |_| Ok(()));
    release_of(&world, 42, "left", &[PLAIN], |line| {
        line.set(PLAIN, "timeout", json!("10s"))?;
        line.write(PLAIN, "refused.yaml", REFUSED)?;
        line.replace(PLAIN, "kustomization.yaml", "[deployment.yaml]", "[deployment.yaml, refused.yaml]")
    });
    let plane = Plane::over(&cluster, world, "left", 41);
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    subscription.until_level(pdp_sync, 41).unwrap();
    plane.world.open(42, &["general=100"]).unwrap();
    let failed = |state: &SubscriptionState| state.reason("Stalled") == "LevelFailed";
    subscription.until(pdp_sync, "level 42 to fail", failed).unwrap();
    let state = subscription.state();
    let left = json!(["CustomResourceDefinition/leftovers.example.com", "Namespace/left-behind"]);
    assert_eq!(state.status("target")["leftBehind"], left, "{}", subscription.describe());
    let words = state.condition("Stalled")["message"].as_str().unwrap_or_default().to_owned();
    assert!(
        words.contains("may have left CustomResourceDefinition/leftovers.example.com and 1 more behind"),
        "{words}"
    );
    // Flux made them, and its inventory doesn't know.
    assert!(cluster.api.get(Kind::NAMESPACE, "", "left-behind").unwrap().is_some());
    let inventory = plane.live(Kind::KUSTOMIZATION, PLAIN)["status"]["inventory"].to_string();
    assert!(!inventory.contains("left-behind") && !inventory.contains("leftovers"), "{inventory}");
}

#[test]
fn a_forgotten_kustomization_stays_and_a_removed_one_goes() {
    let cluster = shared();
    let _scenario =
        Scenario::begin("manifests: forgotten stays, even suspended holds nothing; `removed:` goes");
    let world = World::start().unwrap();
    release_of(&world, 40, NAMESPACE, &[PLAIN, COMPONENTS[1]], |_| Ok(()));
    release_of(&world, 41, NAMESPACE, &[COMPONENTS[1]], |_| Ok(()));
    let plane = Plane::over(&cluster, world, NAMESPACE, 40);
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    subscription.until_level(pdp_sync, 40).unwrap();
    let workload = || cluster.api.get(Kind::DEPLOYMENT, "flux-system-manifests", PLAIN).unwrap();
    let uid = || workload().map(|it| it["metadata"]["uid"].clone());
    let before = uid();
    assert!(before.is_some());
    plane.world.open(41, &["general=100"]).unwrap();
    subscription.until_level(pdp_sync, 41).unwrap();
    assert_eq!(uid(), before, "forgotten: the same workload");
    assert_eq!(plane.live(Kind::KUSTOMIZATION, PLAIN)["spec"]["deletionPolicy"], "Orphan");

    let suspend = |on: bool| {
        let patch = json!({ "spec": { "suspend": on } });
        cluster.api.patch(Kind::KUSTOMIZATION, NAMESPACE, PLAIN, &patch).unwrap();
    };
    suspend(true);
    release_of(&plane.world, 42, NAMESPACE, &[COMPONENTS[1]], |_| Ok(()));
    plane.world.open(42, &["general=100"]).unwrap();
    subscription.until_level(pdp_sync, 42).unwrap();
    assert_eq!(uid(), before, "forgotten and suspended: nobody's business");

    release_of(&plane.world, 43, NAMESPACE, &[COMPONENTS[1]], |line| {
        line.remove(PLAIN);
        Ok(())
    });
    plane.world.open(43, &["general=100"]).unwrap();
    let held =
        |state: &SubscriptionState| state.obstacles() == ["ComponentSuspended"] && state.target() == Some(43);
    subscription.until(pdp_sync, "what is to be removed to hold while it is suspended", held).unwrap();
    assert_eq!(uid(), before);
    suspend(false);
    subscription.until_level(pdp_sync, 43).unwrap();
    pdp_sync.wait("the removed component to go", || workload().is_none()).unwrap();
    assert!(plane.live(Kind::KUSTOMIZATION, PLAIN).is_null());
}
