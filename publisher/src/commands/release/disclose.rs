//! `publisher release disclose`: what was under embargo when a level was signed, once that is over.

use std::path::{Path, PathBuf};

use pdp_policies::disclosure::Disclosure;
use pdp_policies::{At, Digest, document};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::{self, Format, say};
use pdp_transport::files;
use serde_json::json;

use crate::advisories::disclosed;
use crate::catalog::{CatalogArgs, Current, published_level};
use crate::lint;
use crate::{build, statements};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release.yaml of the level.
    file: PathBuf,
    /// The file to write, as JSON.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Only this advisory (may be repeated; default: all that the level names).
    #[arg(long, value_name = "ID")]
    advisory: Vec<String>,
    /// The built folder of the level: its VEX document is written anew there, to be signed and published again.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    catalog: CatalogArgs,
}

pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let file = match lint::advisories_of(&args.file, now)? {
        Ok(file) => file,
        Err(findings) => {
            super::lint::report(&findings, format)?;
            return Ok(exit::NEGATIVE);
        }
    };
    let current = Current::fetch(&args.catalog, now)?;
    let hint = "publish the level first: what it signed is what is disclosed";
    let signed = published_level(&current, &file.line, file.level, hint)?;
    let told = disclosed(&file.stated, &signed, &args.advisory, now)?;
    let bytes = document::write(&told).map_err(internal)?;
    files::write_atomic(&args.out, &bytes)?;
    if let Some(folder) = &args.folder {
        into_folder(folder, &told, now)?;
    }
    let ids: Vec<_> = told.advisories.iter().map(|it| it.advisory.id.as_str()).collect();
    let text = format!("✔ level {}: {} in {}", told.level, ids.join(", "), args.out.display());
    output::print(format, &json!({ "level": told.level, "advisories": ids, "file": args.out }), &text)?;
    Ok(exit::DONE)
}

fn into_folder(folder: &Path, told: &Disclosure, now: At) -> Result<()> {
    let built = build::open(folder)?;
    if Digest::of(&built.descriptor) != told.sha256 {
        let what = format!("{} isn't level {} as the catalog has it", folder.display(), told.level);
        return Err(Failure::new("LevelRewritten", what)
            .hint("give the folder that was published, or what `publisher release fetch` brings"));
    }
    statements::disclose(&built.layout, &built.release, &told.advisories, now)?;
    say(
        "◎ the VEX document is written anew: `publisher release sign DIR --statement-key FILE`, then `publisher release publish DIR`",
    );
    Ok(())
}
