//! One cluster per test process: two cores carry no second one beside it.

use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::control_plane::Cluster;
use super::definitions::Flux;
use crate::tools::Tools;

/// The cluster of this run, for tests that keep to their own namespaces; many at a time.
///
/// # Panics
/// When it doesn't come up.
pub fn shared() -> RwLockReadGuard<'static, Cluster> {
    cluster().read().unwrap_or_else(PoisonError::into_inner)
}

/// The cluster of this run for one test alone: only so can shared parts be stopped.
///
/// # Panics
/// When it doesn't come up.
pub fn alone() -> RwLockWriteGuard<'static, Cluster> {
    cluster().write().unwrap_or_else(PoisonError::into_inner)
}

/// The tools, built once.
///
/// # Panics
/// When one doesn't build.
#[expect(clippy::unwrap_used, reason = "only tests come here, and none can go on without")]
pub fn tools() -> Tools {
    static TOOLS: OnceLock<Tools> = OnceLock::new();
    TOOLS.get_or_init(|| Tools::for_clusters().unwrap()).clone()
}

#[expect(clippy::unwrap_used, reason = "only tests come here, and none can go on without")]
fn cluster() -> &'static RwLock<Cluster> {
    static CLUSTER: OnceLock<RwLock<Cluster>> = OnceLock::new();
    CLUSTER.get_or_init(|| RwLock::new(Cluster::start(tools(), Flux::Current).unwrap()))
}
