//! Which wave of a rollout is meant.

use pdp_policies::Ring;

use super::order::Order;

/// The current wave of a ring.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) order: Order,
    /// The ring.
    #[arg(long)]
    pub(super) ring: Ring,
    /// The current wave, first is 1.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) wave: u16,
}

impl Args {
    /// The wave as the engine counts, from 0.
    pub(super) fn index(&self) -> usize {
        usize::from(self.wave) - 1
    }
}
