//! `channel-server verify-events`: is the event log whole?

use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{Format, print};
use serde_json::json;

use super::{DatabaseArgs, failed};
use crate::database::Chain;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let database = args.database.open_to_read().await?;
    let mut transaction = database.read().await.map_err(|e| failed(&e))?;
    let mut chain = Chain::start();
    let walked = transaction.walk(0, |row| {
        chain = chain.follow(row).ok_or(row.seq)?;
        Ok(())
    });
    let whole: std::result::Result<(), i64> = walked.await.map_err(|e| failed(&e))?;
    drop(transaction);
    database.close().await;
    match whole {
        Ok(()) => {
            let (seq, head) = (chain.seq, chain.head);
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
