//! On a real control plane with real Flux: what pdp-sync writes is what Flux applies, digest by digest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cosign;
mod git_target;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use pdp_e2e::cluster::{Cluster, Tools};

/// One cluster for the run, one test at a time: two cores carry no more.
fn cluster() -> MutexGuard<'static, Cluster> {
    static CLUSTER: OnceLock<Mutex<Cluster>> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(|| Mutex::new(Cluster::start(tools()).unwrap()));
    cluster.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tools() -> Tools {
    static TOOLS: OnceLock<Tools> = OnceLock::new();
    TOOLS.get_or_init(|| Tools::build().unwrap()).clone()
}
