//! `publisher release sign`: a signature on the bundle and on each component.

use std::path::PathBuf;

use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::cli::output::{self, Format};
use pdp_transport::oci::{Descriptor, INDEX_TYPE, Index, MAX_MANIFEST_BYTES};
use serde_json::json;

use crate::build::{self, Built};
use crate::dry_run::DryRun;
use crate::keys::KeyArgs;
use crate::signature;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The layout folder of `release build`.
    folder: PathBuf,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    dry: DryRun,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<u8> {
    let built = build::open(&args.folder)?;
    let mut made = 0;
    for key in args.keys.unlock()? {
        for subject in subjects(&built)? {
            made += usize::from(match args.dry.is_on() {
                true => !signature::is_signed(&built.layout, &subject.digest, &key)?,
                false => signature::sign(&built.layout, &subject, &key)?,
            });
        }
    }
    let text = match made {
        0 => format!("✔ level {} was signed already", built.release.level),
        n if args.dry.only_says("nothing was signed") => {
            format!("✔ level {}: {n} signatures would be added", built.release.level)
        }
        n => format!("✔ level {}: {n} signatures", built.release.level),
    };
    output::print(format, &json!({ "level": built.release.level, "signatures": made }), &text)?;
    Ok(exit::DONE)
}

/// The bundle's index and its children.
pub(super) fn subjects(built: &Built) -> Result<Vec<Descriptor>> {
    let bytes = built.layout.blob(&built.release.bundle.digest, MAX_MANIFEST_BYTES)?;
    let index: Index = serde_json::from_slice(&bytes).map_err(internal)?;
    let mut all = vec![Descriptor::of(INDEX_TYPE, &bytes)];
    all.extend(index.manifests);
    Ok(all)
}
