//! `channel-server restore`: a person takes the responsibility for an old backup.

use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{Format, print};
use pdp_transport::cli::{clock, exit};
use serde_json::json;

use super::{DatabaseArgs, failed};
use crate::database::{Database, RESTORED};
use crate::event::{Actor, Event};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Why, for the event log.
    #[arg(long)]
    reason: String,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let database = args.database.open().await?;
    // What happened since the backup isn't known: people look first, and then two of them let rollouts go on.
    let halted = Event::EverythingHalted { by: Actor::Operator.to_string(), reason: args.reason.clone() };
    let events = [Event::Restored { reason: args.reason.clone() }, halted];
    record(&database, &events).await.map_err(|e| failed(&e))?;
    database.close().await;
    let text = "✔ recorded; unused enrolment tokens are void, and everything is halted: once the server runs, two people \
                end that with `publisher rollout resume-everything`";
    print(format, &json!({ "restored": true }), text)?;
    Ok(exit::DONE)
}

async fn record(database: &Database, events: &[Event]) -> sqlx::Result<()> {
    let mut transaction = database.write().await?;
    transaction.append_blindly(clock::now(), &Actor::Operator, events).await?;
    transaction.keep(RESTORED, "true").await?;
    transaction.commit().await
}
