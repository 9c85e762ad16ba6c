//! `publisher channel stop`: the brake that needs no server.

use pdp_policies::{At, Line, Stop};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};

use crate::catalog::{CatalogArgs, Current};
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
    catalog: CatalogArgs,
    #[command(flatten)]
    keys: KeyArgs,
}

pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let keys = args.keys.unlock()?;
    let current = Current::fetch(&args.catalog, now)?;
    let mut channel = super::current(&current, &args.line)?;
    channel.stop = args.reason.clone().map(|reason| Stop { at: now, reason });
    let proposed = super::propose(&current, &args.catalog, &channel, &keys, now)?;
    let what = if channel.stop.is_some() { "brake on" } else { "brake off" };
    output::print(format, &channel.stop, &format!("✔ {what} for `{}`: {proposed}", args.line))?;
    Ok(exit::DONE)
}
