//! On a real control plane with real Flux: what pdp-sync writes is what Flux applies, digest by digest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod artifact_keys;
mod chart;
mod contract;
mod cosign;
mod customer;
mod definitions;
mod digests;
mod failures;
mod faults;
mod flux_target;
mod git_target;
mod harness;
mod itself;
mod kills;
mod kubectl;
mod matrix;
mod moving;
mod never_uninstalled;
mod oldest_flux;
mod plane;
mod reaper;
mod rest;
mod rights_used;
mod scenario;
mod state;
mod without_flux;
