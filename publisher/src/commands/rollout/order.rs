//! What all orders to a rollout have in common.

use pdp_policies::rollout::Command;
use pdp_policies::{Level, Line};
use pdp_transport::channel_server::{RolloutOrder, RolloutView};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};

use super::status::text;
use crate::server::ServerArgs;

/// Which rollout, and why.
#[derive(Debug, clap::Args)]
pub(super) struct Order {
    /// The level.
    pub(super) level: Level,
    /// The release line.
    #[arg(long)]
    pub(super) line: Line,
    /// Why, for the event log.
    #[arg(long)]
    pub(super) reason: String,
    #[command(flatten)]
    pub(super) server: ServerArgs,
}

impl Order {
    /// Where the rollout is.
    pub(super) fn path(&self) -> String {
        format!("v1/rollouts/{}/{}", self.line, self.level)
    }

    /// Gives the order, and shows how the rollout stands then.
    ///
    /// # Errors
    /// The server's refusal.
    pub(super) async fn give(&self, command: Command, done: &str, format: Format) -> Result<u8> {
        let order = RolloutOrder { command, reason: self.reason.clone() };
        let view: RolloutView =
            self.server.open()?.post(&format!("{}/commands", self.path()), &order).await?;
        // An order that comes too late, or to the wrong level, must not look as if it had done something.
        let done = match view.recorded {
            Some(false) => format!("◎ nothing changed: level {} stands so already", view.level),
            _ => format!("✔ {done}"),
        };
        output::print(format, &view, &format!("{done}\n{}", text(&view)))?;
        Ok(exit::DONE)
    }
}
