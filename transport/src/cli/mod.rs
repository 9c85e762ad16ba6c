//! What the command lines of all programs share: how failures are told, exit codes, the clock.

pub mod clock;
pub mod confirm;
pub mod exit;
pub mod failure;
pub mod log;
pub mod output;
pub mod reference;
pub mod root;

pub use failure::Failure;
