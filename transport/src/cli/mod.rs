//! What the command lines of all programs share: how they begin and end, how failures are told, exit codes, the clock.

mod ci;
pub mod clock;
pub mod codes;
pub mod confirm;
pub mod exit;
pub mod explain;
pub mod failure;
pub mod log;
pub mod output;
pub mod reference;
pub mod root;
pub mod shell;
pub mod start;

pub use failure::Failure;
