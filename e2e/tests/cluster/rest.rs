//! At rest: what an idle pass asks the API server for. What the watches would tell of isn't listed.

use std::collections::BTreeMap;

use pdp_e2e::World;
use pdp_e2e::cluster::shared;
use serde_json::json;

use crate::scenario::Scenario;

const NAMESPACE: &str = "rest";

#[test]
fn an_idle_pass_lists_nothing_and_writes_nothing() {
    let cluster = shared();
    let _scenario = Scenario::begin("rest: an idle pass lists nothing and writes nothing");
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
    pdp_sync.wait("further passes", || passes() >= begun + 8.0).unwrap();
    let requests = cluster.requests_by("pdp-sync", NAMESPACE, moment).unwrap();
    let ended = passes() - begun;
    let mut counts = BTreeMap::new();
    for request in &requests {
        let right = &request.right;
        *counts.entry((right.verb.as_str(), right.resource.as_str())).or_insert(0.0) += 1.0;
    }
    // Flux may say something meanwhile: then, and for what is under way at either end, kinds are listed once.
    for kind in
        ["ocirepositories", "helmreleases", "kustomizations", "updatesubscriptions", "updateapprovals"]
    {
        let lists = counts.get(&("list", kind)).copied().unwrap_or_default();
        assert!(lists <= ended / 2.0, "{lists} of {kind} in {ended} passes: {counts:#?}");
    }
    let writes: Vec<_> = requests.iter().filter(|request| request.is_write()).collect();
    assert!(writes.is_empty(), "{writes:#?}");
    #[expect(clippy::cast_precision_loss, reason = "a few requests")]
    let each = requests.len() as f64 / ended;
    assert!(each < 10.0, "{each} requests a pass: {counts:#?}");
    eprintln!("{each} requests in each of {ended} passes: {counts:?}");
}
