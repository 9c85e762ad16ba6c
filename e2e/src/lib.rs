//! Whole-system tests: a world of real servers on loopback, played by the built programs.
//!
//! Nothing here imports a program of this project: what they say on the wire and on the terminal is all there is.

mod channel_server;
pub mod cluster;
mod collector;
pub mod connection;
mod content;
mod exchange;
mod fault;
pub mod fleet;
mod forwarder;
pub mod frozen;
mod git_backend;
mod git_host;
mod grown;
mod habits;
pub mod hosts;
mod impostor;
mod key;
mod line;
mod login;
mod outside;
mod postgres;
mod programs;
mod reaper;
mod registry;
mod server;
mod token_service;
mod tools;
mod tunnels;
mod volume;
mod web_host;
mod wire;
mod world;
mod world_keys;
mod world_release;
mod world_server;

pub use channel_server::ChannelServer;
pub use collector::Collector;
pub use content::{Content, Manifest};
pub use exchange::Exchange;
pub use fault::{Fault, Faults, Harm};
pub use forwarder::Forwarder;
pub use git_host::GitHost;
pub use grown::Grown;
pub use habits::Habits;
pub use impostor::Impostor;
pub use key::Key;
pub use line::{Fate, Line};
pub use login::Login;
pub use outside::{GitSite, Outside};
pub use postgres::Postgres;
pub use programs::{Finished, Program, Running, program_at};
pub use registry::Registry;
pub use tools::Tools;
pub use tunnels::{Traffic, Tunnels};
pub use volume::Volume;
pub use web_host::WebHost;
pub use wire::{Wire, rfc3339, unix_now};
pub use world::{DataPlane, World};

/// Waits for a condition, for at most 30 seconds.
///
/// # Errors
/// When it doesn't come true in time.
pub fn wait_for(what: &str, condition: impl FnMut() -> bool) -> anyhow::Result<()> {
    wait_at_most(std::time::Duration::from_secs(30), what, condition)
}

/// Waits for a condition up to `limit`.
///
/// # Errors
/// When it doesn't come true in time.
pub fn wait_at_most(
    limit: std::time::Duration,
    what: &str,
    mut condition: impl FnMut() -> bool,
) -> anyhow::Result<()> {
    let start = std::time::Instant::now();
    while !condition() {
        if start.elapsed() >= limit {
            anyhow::bail!("waited {limit:?} in vain: {what}");
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    Ok(())
}
