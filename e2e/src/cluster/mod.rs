//! A real Kubernetes control plane with real Flux, as plain processes on loopback: no containers, no root.
//!
//! Only pods are pretended (kwok): whatever asks the API server gets the answers of a real one.

mod api;
mod audit;
mod control_plane;
mod definitions;
mod identity;
mod kind;
mod local;
mod notifications;
mod part;
mod pdp_sync;
mod processes;
mod shared;
mod stand_ins;
mod subscription;
mod troubles;
mod usage;

pub use crate::hosts::Olareg;
pub use crate::tools::Tools;
pub use api::{Api, condition};
pub use audit::{Moment, Request, Right, rights};
pub use control_plane::Cluster;
pub use definitions::Flux;
pub use kind::Kind;
pub use notifications::Notifications;
pub use part::Part;
pub use pdp_sync::PdpSync;
pub use shared::{alone, shared, tools};
pub use subscription::{Subscription, SubscriptionState};
pub use troubles::troubles;
pub use usage::Usage;
