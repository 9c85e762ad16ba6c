//! `publisher key ceremony`: the first trust of a line.

mod alone;
mod finish;
mod join;
mod sign;
mod start;
mod status;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use pdp_policies::{At, CatalogTree, Line};
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::Format;
use pdp_transport::files;

use crate::keys::PasswordArgs;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    step: Option<Step>,
    /// The folder to make; must not exist. All keys of all people are made in it, on this machine.
    #[arg(long, value_name = "DIR", required = true)]
    out: Option<PathBuf>,
    /// The release line.
    #[arg(long, required = true)]
    line: Option<Line>,
    #[command(flatten)]
    password: PasswordArgs,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Begins a ceremony of people in different places: writes the plan as the first file.
    Start(start::Args),
    /// Makes all keys of one person, on that person's machine, and the file with their public halves.
    Join(join::Args),
    /// Shows who would hold what, asks, and signs it with one person's keys.
    Sign(sign::Args),
    /// Makes the first catalog of everybody's files, with the keys of snapshot and timestamp.
    Finish(finish::Args),
    /// Shows who has joined and signed, and what comes next.
    Status(status::Args),
}

pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let alone = args.out.as_ref().zip(args.line.as_ref());
    match (&args.step, alone) {
        (Some(Step::Start(args)), _) => start::run(args, format, now),
        (Some(Step::Join(args)), _) => join::run(args, format, now),
        (Some(Step::Sign(args)), _) => sign::run(args, format, now),
        (Some(Step::Finish(args)), _) => finish::run(args, format, now),
        (Some(Step::Status(args)), _) => status::run(args, format, now),
        (None, Some((out, line))) => alone::run(out, line, &args.password, format, now),
        (None, None) => Err(Failure::new("BadArguments", "no step of a ceremony is named")
            .hint("see `publisher key ceremony --help`")),
    }
}

/// Writes the first catalog into a folder.
fn write_catalog(folder: &Path, tree: &CatalogTree) -> Result<()> {
    let io = |e: std::io::Error| Failure::new("Io", format!("write {}", folder.display())).cause(e);
    for below in ["metadata", "targets"] {
        std::fs::create_dir_all(folder.join(below)).map_err(io)?;
    }
    tree.iter().try_for_each(|(path, bytes)| Ok(files::write_atomic(&folder.join(path), bytes)?))
}

/// Refuses to write into a folder that is there: keys are never overwritten.
fn must_be_new(folder: &Path) -> Result<()> {
    match folder.exists() {
        false => Ok(()),
        true => Err(Failure::new("Exists", format!("{} exists already", folder.display()))
            .hint("a ceremony never overwrites anything: name a new folder")),
    }
}
