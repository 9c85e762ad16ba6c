//! `publisher release diff`: what another level changes.

use std::path::PathBuf;
use std::str::FromStr;

use pdp_policies::release::Release;
use pdp_policies::{At, Level, Line};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format};

use crate::build;
use crate::catalog::{CatalogArgs, Current};
use crate::diff::{diff, text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A level of the catalog, or the folder of a built release.
    from: Which,
    /// What it is compared with.
    to: Which,
    /// The release line.
    #[arg(long)]
    line: Line,
    #[command(flatten)]
    catalog: CatalogArgs,
}

/// A level of the catalog, or a folder.
#[derive(Debug, Clone)]
enum Which {
    Level(Level),
    Built(PathBuf),
}

impl FromStr for Which {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| Self::Built(text.into()), |level| Self::Level(Level(level))))
    }
}

pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let current = Current::fetch(&args.catalog, now)?;
    let (from, to) = (release(args, &current, &args.from)?, release(args, &current, &args.to)?);
    let diff = diff(&from, &to);
    output::print(format, &diff, &text(&diff))?;
    Ok(exit::DONE)
}

fn release(args: &Args, current: &Current, which: &Which) -> Result<Release> {
    match which {
        Which::Level(level) => Ok(current.catalog.release(&args.line, *level)?.release.clone()),
        Which::Built(folder) => {
            let release = build::open(folder)?.release;
            let other =
                || Failure::new("OtherLine", format!("{} is of line `{}`", folder.display(), release.line));
            if release.line == args.line {
                Ok(release)
            } else {
                Err(other().hint("name that line with --line"))
            }
        }
    }
}
