//! Whole-system tests: attacks, faults, crashes and the ordinary day.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod approvals;
mod attack;
mod away;
mod base;
mod caps;
mod catalog_attacks;
mod crashes;
mod customer;
mod director;
mod director_attacks;
mod docs;
mod fleets;
mod forge;
mod ground_faults;
mod ground_git;
mod ground_programs;
mod ground_registry;
mod hotfixes;
mod outages;
mod publish;
mod registry_attacks;
mod retry;
mod ring_state;
mod rings;
mod server_attacks;
mod server_floods;
mod server_input;
mod watching;
