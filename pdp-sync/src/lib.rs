//! The customer's side. Start reading at `reconcile.rs`: fetch, decide, act.
//!
//! Two programs share it: `pdp-sync` (a controller, or a loop over a file) and `kubectl-pdp` (`kubectl pdp`).

mod apply;
mod commands;
#[allow(dead_code, reason = "nothing runs the controller yet")]
mod controller;
pub mod crd;
mod fault;
mod fetch;
mod identity;
mod instruct;
mod preflight;
mod probe;
mod reconcile;
mod render;
mod report;
mod state;
mod status;
mod subscription;
mod target;
mod time;
#[allow(dead_code, reason = "the controller calls it")]
mod values;

pub use commands::main;
