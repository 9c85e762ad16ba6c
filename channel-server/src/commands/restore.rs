//! `channel-server restore`: a person takes the responsibility for an old backup.

use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{Format, print};
use pdp_transport::cli::{clock, exit};
use serde_json::json;

use super::{DatabaseArgs, failed};
use crate::database::Database;
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
    let mut database = Database::open(&args.database.database).await?;
    let event = Event::Restored { reason: args.reason.clone() };
    database.append(clock::now(), &Actor::Operator, &[event]).await.map_err(|e| failed(&e))?;
    database.keep("restored", "true").await.map_err(|e| failed(&e))?;
    database.close().await;
    let text = "✔ recorded; unused enrolment tokens are void, and the next start of the server grants again";
    print(format, &json!({ "restored": true }), text)?;
    Ok(exit::DONE)
}
