//! `publisher rollout`: how far each level has come, and what people may do to it.

mod acknowledge;
mod everything;
mod expedite;
mod halt;
mod list;
mod order;
mod pause;
mod resume;
mod retry;
mod scope;
mod simulate;
mod skip;
mod status;
mod wave;

use clap::Subcommand;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

#[derive(Debug, Subcommand)]
pub(crate) enum Rollout {
    /// Lists rollouts, newest first.
    List(list::Args),
    /// Shows one rollout ring by ring; `--watch` stays and follows it.
    Status(status::Args),
    /// Holds a rollout: no ring opens, no wave passes, nothing starts.
    Pause(pause::Args),
    /// Ends a pause, or a halt; a halt takes two people, one after the other.
    Resume(resume::Args),
    /// Halts a ring, an organization or a whole rollout: nothing starts; what runs is left alone.
    Halt(halt::Args),
    /// Halts all rollouts of all lines.
    HaltEverything(everything::Args),
    /// Ends that; it takes two people, one after the other.
    ResumeEverything(everything::Args),
    /// Lets data planes start again where the level failed, the same digest.
    Retry(retry::Args),
    /// Leaves one data plane out of a rollout.
    Skip(skip::Args),
    /// Passes a wave that has nobody to prove it.
    Acknowledge(wave::Args),
    /// Ends the soak of the current wave; share, sample, budget and the earliest times that people signed stand.
    Expedite(wave::Args),
    /// Plays a rollout over a fleet on paper: when each ring is through, how many have started at a halt.
    Simulate(simulate::Args),
}

pub(crate) async fn run(command: Rollout, format: Format) -> Result<u8> {
    match command {
        Rollout::List(args) => list::run(&args, format).await,
        Rollout::Status(args) => status::run(&args, format).await,
        Rollout::Pause(args) => pause::run(&args, format).await,
        Rollout::Resume(args) => resume::run(&args, format).await,
        Rollout::Halt(args) => halt::run(&args, format).await,
        Rollout::HaltEverything(args) => everything::run(&args, "halt", format).await,
        Rollout::ResumeEverything(args) => everything::run(&args, "resume", format).await,
        Rollout::Retry(args) => retry::run(&args, format).await,
        Rollout::Skip(args) => skip::run(&args, format).await,
        Rollout::Acknowledge(args) => acknowledge::run(&args, format).await,
        Rollout::Expedite(args) => expedite::run(&args, format).await,
        Rollout::Simulate(args) => super::blocking(move || simulate::run(&args, format)).await,
    }
}
