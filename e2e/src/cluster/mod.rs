//! A real Kubernetes control plane with real Flux, as plain processes on loopback: no containers, no root.
//!
//! Only pods are pretended (kwok): whatever asks the API server gets the answers of a real one.

mod api;
mod control_plane;
mod flux;
mod tools;

pub use api::{Api, Kind, condition};
pub use control_plane::Cluster;
pub use tools::Tools;
