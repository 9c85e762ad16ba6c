//! At rest: what an idle pass asks the API server for.

use std::collections::BTreeMap;

use pdp_e2e::World;
use pdp_e2e::cluster::shared;
use serde_json::json;

use crate::scenario::Scenario;

const NAMESPACE: &str = "rest";

#[test]
fn an_idle_pass_lists_each_kind_once_and_writes_nothing() {
    let cluster = shared();
    let _scenario = Scenario::begin("rest: an idle pass lists each kind once and writes nothing");
    let world = World::start().unwrap();
    world.release_variant(41, NAMESPACE).unwrap();
    world.open(41, &["general=100"]).unwrap();
    world.target_namespaces(41).unwrap().iter().for_each(|name| cluster.namespace(name).unwrap());
    let kubeconfig = cluster.admit_pdp_sync(NAMESPACE).unwrap();
    let pdp_sync = cluster.start_pdp_sync(NAMESPACE, &kubeconfig, &[]).unwrap();
    let subscription = cluster.subscription(&world, NAMESPACE).unwrap().with("interval", json!("3s"));
    let subscription = subscription.apply().unwrap();
    subscription.until_level(&pdp_sync, 41).unwrap();
    let passes = || pdp_sync.passes().unwrap();
    let settled = passes();
    pdp_sync.wait("Flux to come to rest", || passes() >= settled + 5.0).unwrap();
    let (begun, moment) = (passes(), cluster.moment());
    pdp_sync.wait("further passes", || passes() >= begun + 5.0).unwrap();
    let requests = cluster.requests_by("pdp-sync", NAMESPACE, moment).unwrap();
    let ended = passes() - begun;
    let mut counts = BTreeMap::new();
    for request in &requests {
        let right = &request.right;
        *counts.entry((right.verb.as_str(), right.resource.as_str())).or_insert(0.0) += 1.0;
    }
    // One that is under way, at either end, may be counted too.
    let at_most = |name: &str| counts.get(&("list", name)).copied().unwrap_or_default() <= ended + 1.0;
    for kind in
        ["ocirepositories", "helmreleases", "kustomizations", "updatesubscriptions", "updateapprovals"]
    {
        assert!(at_most(kind), "{kind} in {ended} passes: {counts:#?}");
    }
    let writes: Vec<_> = requests.iter().filter(|request| request.is_write()).collect();
    assert!(writes.is_empty(), "{writes:#?}");
    #[expect(clippy::cast_precision_loss, reason = "a few requests")]
    let each = requests.len() as f64 / ended;
    assert!(each < 20.0, "{each} requests a pass: {counts:#?}");
}
