//! `publisher channel open`: which share of which ring may start a level.

use std::str::FromStr;

use pdp_policies::{At, Level, Line, Percent, Ring};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format};

use crate::catalog::{ChangeArgs, Current, Other};
use crate::keys::KeyArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The level.
    level: Level,
    /// The release line.
    #[arg(long)]
    line: Line,
    /// A ring and its share in percent, such as `general=25`; several times for several rings.
    #[arg(long = "ring", value_name = "RING=PERCENT", required = true)]
    rings: Vec<Share>,
    /// Also open rings whose earliest time lies ahead: the new earliest time is now.
    #[arg(long)]
    earlier: bool,
    #[command(flatten)]
    catalog: ChangeArgs,
    #[command(flatten)]
    keys: KeyArgs,
}

#[derive(Debug, Clone)]
struct Share {
    ring: Ring,
    percent: Percent,
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (ring, percent) = text.split_once('=').ok_or("write RING=PERCENT, such as general=25")?;
        let number: u8 =
            percent.parse().map_err(|_| format!("`{percent}` is not a share in percent (0 to 100)"))?;
        Ok(Self { ring: ring.parse().map_err(|e| format!("{e}"))?, percent: number.try_into()? })
    }
}

pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let keys = args.keys.unlock()?;
    let current = Current::fetch(&args.catalog, now)?;
    let mut channel = super::current(&current, &args.line)?;
    let promotion = channel.levels.get_mut(&args.level).ok_or_else(|| {
        Failure::new("NotFound", format!("level {} isn't promoted", args.level))
            .hint("run `publisher release promote` first")
            .exit(exit::NOT_FOUND)
    })?;
    for Share { ring, percent } in &args.rings {
        match promotion.opens_at.get(ring) {
            Some(earliest) if *earliest > now && !args.earlier => {
                return Err(Failure::new(
                    "RingNotOpenYet",
                    format!("ring `{ring}` opens at {earliest} at the earliest"),
                )
                .hint("wait, or sign an earlier time with --earlier"));
            }
            Some(earliest) if *earliest > now => {
                promotion.opens_at.insert(ring.clone(), now);
            }
            _ => {}
        }
        promotion.open_to.insert(ring.clone(), *percent);
    }
    let proposed = super::propose(&current, &args.catalog, &channel, Other::Stays, &keys, now)?;
    let shares: Vec<_> = args.rings.iter().map(|s| format!("{} {}", s.ring, s.percent)).collect();
    let text = format!("✔ opening level {} to {}: {proposed}", args.level, shares.join(", "));
    output::print(format, &channel.levels[&args.level], &text)?;
    Ok(exit::DONE)
}
