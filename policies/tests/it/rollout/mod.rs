//! The rollout engine: what must hold for any order, loss and duplication of what happens.

mod chance;
mod commands;
mod exhaustive;
mod flight;
mod grants;
mod halts;
mod hotfixes;
mod offers;
mod plans;
mod proofs;
mod random;
mod reasons;
mod replicas;
mod scenarios;
mod shares;
mod sick;
mod simulated;
mod waiting;
mod waves;
mod world;
