//! The customer's side. Start reading at `reconcile.rs`: fetch, decide, act.
//!
//! Two programs share it: `pdp-sync` (a controller, or a loop over a file) and `kubectl-pdp` (`kubectl pdp`).

mod approvals;
mod changes;
mod cluster;
mod commands;
mod connection;
mod content;
mod controller;
pub mod crd;
mod customer;
mod endpoints;
mod fault;
mod fetch;
mod fetch_limits;
mod flux;
mod identity;
mod images;
mod instruct;
pub mod kubectl;
mod learned;
mod moving;
mod others;
mod pin;
mod preflight;
mod probe;
mod reconcile;
mod render;
mod report;
mod secret_store;
mod state;
mod status;
mod store;
mod subscription;
mod target;
mod time;
mod values;
mod when;
mod zones;

pub use commands::main;
