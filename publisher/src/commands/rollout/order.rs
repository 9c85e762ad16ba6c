//! What all orders to a rollout have in common.

use pdp_policies::rollout::Command;
use pdp_policies::{Level, Line};
use pdp_transport::channel_server::{RolloutOrder, RolloutView};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::cli::output::{self, Format};

use super::status::text;
use crate::server::ChangeServerArgs;

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
    pub(super) server: ChangeServerArgs,
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
        let desk = self.server.open()?;
        if self.server.only_says(&format!(
            "to level {} of `{}`: {}",
            self.level,
            self.line,
            shown(&order.command)?
        )) {
            let view: RolloutView = desk.get(&self.path()).await?;
            output::print(format, &view, &format!("◎ it stands so now:\n{}", text(&view)))?;
            return Ok(exit::DONE);
        }
        let view: RolloutView = desk.post(&format!("{}/commands", self.path()), &order).await?;
        // An order that comes too late, or to the wrong level, must not look as if it had done something.
        let done = match view.recorded {
            Some(false) => format!("◎ nothing changed: level {} stands so already", view.level),
            _ => format!("✔ {done}"),
        };
        output::print(format, &view, &format!("{done}\n{}", text(&view)))?;
        Ok(exit::DONE)
    }
}

/// As it is sent.
fn shown(command: &Command) -> Result<String> {
    serde_json::to_string(command).map_err(internal)
}
