//! What breaks around a level: bad components, parts of the cluster that go away, others who write the same fields.
//! Each ends at the right level, with a true status, and no lost floor.

mod api_server;
mod fights;
mod first_install;
mod helm_controller;
mod levels;
mod no_flux;
mod sources;

use pdp_e2e::cluster::{Api, Cluster, Kind, PdpSync, Subscription, SubscriptionState};

use crate::plane::COMPONENTS;

/// The component of the last stage.
const LAST: &str = COMPONENTS[1];

/// Where each component's Flux object points to, by the name of its source.
fn chart_refs(api: &Api, namespace: &str) -> [String; 2] {
    COMPONENTS.map(|name| {
        let found = api.get(Kind::HELM_RELEASE, namespace, name).unwrap().unwrap();
        found["spec"]["chartRef"]["name"].as_str().unwrap().to_owned()
    })
}

/// The names of all sources in a namespace.
fn sources(api: &Api, namespace: &str) -> Vec<String> {
    let all = api.list(Kind::OCI_REPOSITORY, namespace).unwrap();
    all.iter().map(|source| source["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

fn level_failed(state: &SubscriptionState) -> bool {
    state.reason("Stalled") == "LevelFailed"
}

/// Waits until Flux has begun with the component at another source than `before`.
fn until_flux_is_at_it(cluster: &Cluster, pdp_sync: &PdpSync, subscription: &Subscription, before: &str) {
    let at_it = || {
        let found = cluster.api.get(Kind::HELM_RELEASE, &subscription.namespace, LAST).unwrap().unwrap();
        found["spec"]["chartRef"]["name"] != before
            && found["status"]["lastAttemptedGeneration"] == found["metadata"]["generation"]
    };
    pdp_sync.wait("Flux to be at the last component", at_it).unwrap();
}
