//! `publisher catalog init`: the first commit of the catalog branch.

use std::path::PathBuf;

use pdp_policies::At;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};
use serde_json::json;

use crate::catalog::{BRANCH, ChangeArgs, first_push, read_root};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The `catalog` folder of a ceremony.
    folder: PathBuf,
    #[command(flatten)]
    catalog: ChangeArgs,
}

pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let tree = pdp_transport::catalog::from_folder(&args.folder)?;
    let remote = args.catalog.git.open(&args.catalog.catalog)?;
    let root = read_root(&args.catalog.root)?;
    let commit = first_push(&remote, &args.catalog, &tree, root, now)?;
    let verb = if args.catalog.dry.is_on() { "would be" } else { "is" };
    let text = format!("✔ the first catalog {verb} on `{BRANCH}` at {}", remote.shown());
    output::print(format, &json!({ "commit": commit.to_string() }), &text)?;
    Ok(exit::DONE)
}
