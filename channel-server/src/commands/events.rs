//! `channel-server verify-events`: is the event log whole?

use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{Format, print};
use serde_json::json;

use super::{DatabaseArgs, failed};
use crate::database::{Database, verify};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let mut database = Database::open(&args.database.database).await?;
    let rows = database.events(0, i64::MAX).await.map_err(|e| failed(&e))?;
    database.close().await;
    match verify(&rows) {
        Ok((seq, head)) => {
            let text = format!("✔ {seq} events, each hashed with the one before; head {}", head.hex());
            print(format, &json!({ "events": seq, "head": head.hex() }), &text)?;
            Ok(exit::DONE)
        }
        Err(seq) => {
            let text = format!("✗ event {seq} is not what was written, or one before it is missing");
            print(format, &json!({ "wrong": seq }), &text)?;
            Ok(exit::NEGATIVE)
        }
    }
}
