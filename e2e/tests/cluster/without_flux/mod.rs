//! What is decided before Flux has anything to do: etcd and kube-apiserver are enough.

mod hosts;
mod pin;
mod secrets;

use pdp_e2e::World;
use pdp_e2e::cluster::{Cluster, Flux, SubscriptionState, tools};

use crate::plane::release;

/// A control plane alone. Nothing acts on any object, so a level stays at its preflight.
fn control_plane() -> Cluster {
    Cluster::start_bare(tools(), Flux::Current).unwrap()
}

/// A vendor with level 41, open for all, and level 42.
fn vendor(namespace: &str) -> World {
    let world = World::start().unwrap();
    [41, 42].iter().for_each(|level| release(&world, *level, namespace, |_| Ok(())));
    world.open(41, &["general=100"]).unwrap();
    world
}

/// The version of the catalog's channels that was seen and believed, none before.
fn seen(state: &SubscriptionState) -> Option<u64> {
    state.status("catalog")["channels"].as_u64().filter(|_| state.status("refusal").is_null())
}

/// The reason why it isn't ready, if its message has all these words.
fn stands(state: &SubscriptionState, reason: &str, words: &[&str]) -> bool {
    let ready = state.condition("Ready");
    let message = ready["message"].as_str().unwrap_or_default();
    ready["reason"] == reason && words.iter().all(|word| message.contains(word))
}
