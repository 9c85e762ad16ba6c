//! `publisher release verify`: what a PDP would check, without a PDP.

use std::sync::Arc;

use pdp_policies::{At, Level, Line};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};
use serde_json::json;

use super::images;
use super::vouched::{Vouched, tagged, vouched};
use crate::catalog::{CatalogArgs, Current};
use crate::commands::blocking;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The level.
    level: Level,
    /// The release line.
    #[arg(long)]
    line: Line,
    /// `host[:port][/prefix]` to read from instead of the host that the release names, or that it moved to.
    #[arg(long, env = "PUBLISHER_REGISTRY", value_name = "HOST")]
    registry: Option<String>,
    /// Also asks for every image, and for every part of every index, where it is pulled from (or at `--registry`).
    #[arg(long)]
    images: bool,
    #[command(flatten)]
    catalog: CatalogArgs,
}

pub(crate) async fn run(args: Args, format: Format, now: At) -> Result<u8> {
    let catalog = args.catalog;
    let registry = Arc::new(catalog.git.connection.registry()?);
    let current = blocking(move || Current::fetch(&catalog, now)).await?;
    let (level, elsewhere) = ((&args.line, args.level), args.registry.as_deref());
    let Vouched { release, repository } = vouched(&registry, &current, level, elsewhere, now).await?;
    tagged(&registry, &repository, &release).await?;
    let images = match args.images {
        true => Some(images::present(&release, &registry, elsewhere).await?),
        false => None,
    };
    let count = release.components.len() + 1;
    let looked = images.map(|images| format!(", {images} images are there")).unwrap_or_default();
    let text = format!(
        "✔ level {}: catalog, bundle and {count} signatures are good{looked}\n  {repository}@{}",
        args.level, release.bundle.digest
    );
    output::print(
        format,
        &json!({ "level": args.level, "digest": release.bundle.digest, "signatures": count, "images": images }),
        &text,
    )?;
    Ok(exit::DONE)
}
