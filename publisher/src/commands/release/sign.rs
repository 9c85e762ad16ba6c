//! `publisher release sign`: a signature on the bundle and on each component; and, by another key, on each statement.

use std::path::PathBuf;

use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::{self, Format};
use pdp_transport::oci::{Descriptor, INDEX_TYPE, Index, MAX_MANIFEST_BYTES};
use serde_json::json;

use crate::build::{self, Built};
use crate::dry_run::DryRun;
use crate::keys::{KeyArgs, SigningKey};
use crate::signature;
use crate::statements::{self, Record};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The layout folder of `release build`.
    folder: PathBuf,
    #[command(flatten)]
    keys: KeyArgs,
    /// A private key file of a statement key: signs SBOMs and VEX documents. A key of its own, or they would count as releases.
    #[arg(long = "statement-key", value_name = "FILE")]
    statement_keys: Vec<PathBuf>,
    #[command(flatten)]
    dry: DryRun,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<u8> {
    let built = build::open(&args.folder)?;
    let keys = args.keys.unlock()?;
    let statement_keys = args.keys.unlock_others(&args.statement_keys)?;
    apart(&keys, &statement_keys)?;
    let stated = state(&built, &statement_keys, args.dry)?;
    let subjects = subjects(&built)?;
    let mut made = 0;
    for key in keys {
        made += signature::sign(&built.layout, &subjects, &key, args.dry.is_on())?;
    }
    let text = match made + stated {
        0 => format!("✔ level {} was signed already", built.release.level),
        n if args.dry.only_says("nothing was signed") => {
            format!("✔ level {}: {n} signatures would be added", built.release.level)
        }
        n => format!("✔ level {}: {n} signatures", built.release.level),
    };
    let value = json!({ "level": built.release.level, "signatures": made, "statements": stated });
    output::print(format, &value, &text)?;
    Ok(exit::DONE)
}

/// Signs every statement of the level with each of these keys.
fn state(built: &Built, keys: &[SigningKey], dry: DryRun) -> Result<usize> {
    let mut record = Record::read(&built.layout)?;
    let mut made = 0;
    for key in keys {
        made += statements::sign(&built.layout, &mut record, key, dry.is_on())?;
    }
    Ok(made)
}

/// cosign and Flux don't look at what a signature says: an SBOM by the artifact key would count as a release.
fn apart(keys: &[SigningKey], statement_keys: &[SigningKey]) -> Result<()> {
    let both = statement_keys.iter().find(|it| keys.iter().any(|key| key.material == it.material));
    match both {
        None => Ok(()),
        Some(key) => Err(Failure::new(
            "KeyInUse",
            format!("key {} would sign releases and statements", key.id),
        )
        .cause("to cosign and Flux a statement by the artifact key is a release signature")
        .hint(
            "make another one with `publisher key new`, and list it with `publisher catalog statement add`",
        )),
    }
}

/// The bundle's index and its children.
pub(super) fn subjects(built: &Built) -> Result<Vec<Descriptor>> {
    let bytes = built.layout.blob(&built.release.bundle.digest, MAX_MANIFEST_BYTES)?;
    let index: Index = serde_json::from_slice(&bytes).map_err(internal)?;
    let mut all = vec![Descriptor::of(INDEX_TYPE, &bytes)];
    all.extend(index.manifests);
    Ok(all)
}
