//! `publisher channel stop`: the brake that needs no server.

use pdp_policies::{At, Line, Stop};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};

use crate::catalog::{ChangeArgs, Current, Other};
use crate::keys::KeyArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release line.
    #[arg(long)]
    line: Line,
    /// Why, for customers.
    #[arg(long, required_unless_present = "release")]
    reason: Option<String>,
    /// Take the brake off.
    #[arg(long, conflicts_with = "reason")]
    release: bool,
    #[command(flatten)]
    catalog: ChangeArgs,
    #[command(flatten)]
    keys: KeyArgs,
}

pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let keys = args.keys.unlock()?;
    let current = Current::fetch(&args.catalog, now)?;
    let mut channel = super::current(&current, &args.line)?;
    let open = super::proposed(&current);
    let mut stops = open.into_iter().filter(|open| open.line == args.line).filter_map(|open| open.stop);
    channel.stop = args.reason.clone().map(|reason| {
        let same = stops.find(|open| open.reason == reason);
        same.unwrap_or(Stop { at: now, reason })
    });
    // The brake waits for nobody but another brake; taking it off waits.
    let other = match channel.stop {
        Some(_) => Other::IsOvertaken,
        None => Other::Stays,
    };
    let proposed = super::propose(&current, &args.catalog, &channel, other, &keys, now)?;
    let what = if channel.stop.is_some() { "brake on" } else { "brake off" };
    output::print(format, &channel.stop, &format!("✔ {what} for `{}`: {proposed}", args.line))?;
    Ok(exit::DONE)
}
