//! The Flux target: 41, then 42, every object on exactly the digest of the release, from each kind of catalog.

use pdp_e2e::World;
use pdp_e2e::cluster::{Cluster, Kind, Subscription, condition, shared, troubles};

use crate::digests::{Level, level, runs_by_digest, until_applied};
use crate::scenario::Scenario;

#[test]
fn the_flux_target_goes_from_41_to_42_with_the_catalog_straight_from_git() {
    let cluster = shared();
    let _scenario = Scenario::begin("Flux target: 41 -> 42 by digest, sources verified, catalog from Git");
    goes_on(&cluster, &World::start().unwrap(), "flux-git", |subscription, _| subscription);
}

#[test]
fn the_flux_target_goes_from_41_to_42_with_the_catalog_from_an_oci_repository() {
    let cluster = shared();
    let _scenario =
        Scenario::begin("Flux target: 41 -> 42 by digest, sources verified, catalog from OCIRepository");
    let mut world = World::start().unwrap();
    world.catalog_in_oci = true;
    goes_on(&cluster, &world, "flux-oci", |subscription, world| {
        subscription.from_oci_repository(&world.catalog_repository())
    });
}

/// Both levels in namespaces of this name; the third kind of catalog, a `GitRepository`, is the matrix's.
fn goes_on(
    cluster: &Cluster,
    world: &World,
    name: &str,
    catalog: impl Fn(Subscription, &World) -> Subscription,
) {
    world.release_variant(41, name).unwrap();
    let targets = world.target_namespaces(41).unwrap();
    targets.iter().for_each(|target| cluster.namespace(target).unwrap());
    let user = cluster.admit_pdp_sync(name).unwrap();
    let pdp_sync = cluster.start_pdp_sync(name, &user, &[]).unwrap();
    world.open(41, &["general=100"]).unwrap();
    let subscription = catalog(cluster.subscription(world, name).unwrap(), world).apply().unwrap();
    subscription.until_level(&pdp_sync, 41).unwrap();
    let first = level(world, 41, "azure");
    stands(cluster, name, &targets, &first);
    world.release_variant(42, name).unwrap();
    world.open(42, &["general=100"]).unwrap();
    subscription.until_level(&pdp_sync, 42).unwrap();
    let second = level(world, 42, "azure");
    stands(cluster, name, &targets, &second);
    for (component, digest) in &first.artifacts {
        assert!(
            source(cluster, name, component, digest).is_some(),
            "{component}: the last good level's source is kept to go back to"
        );
    }
}

/// Flux applied exactly this level, from sources that it verified, and nothing else runs.
fn stands(cluster: &Cluster, namespace: &str, targets: &[String], wanted: &Level) {
    let outcome = until_applied(cluster, namespace, &wanted.artifacts);
    assert!(outcome.is_ok(), "{outcome:?}\n{}", troubles(&cluster.api, namespace));
    runs_by_digest(cluster, targets, &wanted.images);
    for (component, digest) in &wanted.artifacts {
        let source = source(cluster, namespace, component, digest).unwrap();
        assert_eq!(source["spec"]["ref"]["digest"], *digest, "{component}");
        assert!(source["spec"]["verify"].is_object(), "{component}: verification is the default");
        assert_eq!(condition(&source, "SourceVerified")["status"], "True", "{component}");
    }
}

/// The `OCIRepository` of one component at one digest.
fn source(cluster: &Cluster, namespace: &str, component: &str, digest: &str) -> Option<serde_json::Value> {
    let hex = digest.trim_start_matches("sha256:");
    cluster.api.get(Kind::OCI_REPOSITORY, namespace, &format!("{component}-{}", &hex[..12])).unwrap()
}
