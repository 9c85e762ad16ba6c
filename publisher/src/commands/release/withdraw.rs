//! `publisher release withdraw`: nobody starts the level any more; what runs keeps running.

use pdp_policies::{At, Level, Line, Withdrawal};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format};

use crate::catalog::{ChangeArgs, Current, Other};
use crate::commands::channel;
use crate::keys::KeyArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The level.
    level: Level,
    /// The release line.
    #[arg(long)]
    line: Line,
    /// Why, for customers.
    #[arg(long)]
    reason: String,
    /// The level that fixes it.
    #[arg(long, value_name = "LEVEL")]
    fixed_by: Option<Level>,
    #[command(flatten)]
    catalog: ChangeArgs,
    #[command(flatten)]
    keys: KeyArgs,
}

pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let keys = args.keys.unlock()?;
    let current = Current::fetch(&args.catalog, now)?;
    let mut channel = channel::current(&current, &args.line)?;
    let withdrawal = Withdrawal { at: now, reason: args.reason.clone(), fixed_by: args.fixed_by };
    let open = channel::proposed(&current).into_iter().filter(|open| open.line == args.line);
    let mut open = open.filter_map(|mut open| open.withdrawn.remove(&args.level));
    let same = open.find(|open| *open == Withdrawal { at: open.at, ..withdrawal.clone() });
    channel.withdrawn.insert(args.level, same.unwrap_or(withdrawal));
    if let Some(problem) = channel.problems().into_iter().next() {
        return Err(Failure::new("BadWithdrawal", problem));
    }
    let proposed = channel::propose(&current, &args.catalog, &channel, Other::IsOvertaken, &keys, now)?;
    let text = format!(
        "✔ withdrawal of level {}: {proposed}\n  it stops starts; it can't recall what was fetched or moves nobody back",
        args.level
    );
    output::print(format, &channel.withdrawn[&args.level], &text)?;
    Ok(exit::DONE)
}
