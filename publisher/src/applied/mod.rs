//! What a level applies to a cluster: each component's files from its bundle, rendered as Flux renders them.

mod bundle;
mod pinned;
mod render;

pub(crate) use bundle::Bundle;
pub(crate) use render::{Cluster, objects};
