//! `publisher release build`: lint, then pack.

use std::path::PathBuf;

use pdp_policies::At;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};
use serde_json::json;

use crate::build;
use crate::lint;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release.yaml.
    file: PathBuf,
    /// The layout folder to write.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The release.yaml of the base level (default: `../<base>/release.yaml`).
    #[arg(long, value_name = "FILE")]
    base_release: Option<PathBuf>,
    #[command(flatten)]
    fetch: super::fetch::FetchArgs,
}

pub(crate) async fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let linted = match lint::lint(&args.file, args.base_release.as_deref(), &args.fetch.open(), now).await? {
        Ok(linted) => linted,
        Err(findings) => {
            super::lint::report(&findings, format)?;
            return Ok(exit::NEGATIVE);
        }
    };
    super::lint::notes(&linted);
    let built = build::build(&linted, &args.out)?;
    let (level, digest) = (built.release.level, built.release.bundle.digest);
    let text = format!(
        "✔ level {level}: {} components in {}\n  bundle {digest}",
        built.release.components.len(),
        built.layout.folder().display()
    );
    let value = json!({ "level": level, "digest": digest, "folder": args.out });
    output::print(format, &value, &text)?;
    Ok(exit::DONE)
}
