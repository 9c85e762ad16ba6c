//! Whole-system tests: attacks, faults, crashes and the ordinary day.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attack;
mod base;
mod catalog_attacks;
mod crashes;
mod customer;
mod forge;
mod outages;
mod publish;
mod registry_attacks;
