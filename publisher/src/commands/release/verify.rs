//! `publisher release verify`: what a PDP would check, without a PDP.

use std::collections::BTreeSet;
use std::sync::Arc;

use pdp_policies::trust::Vouchers;
use pdp_policies::{At, Level, Line, Release, printable};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};
use pdp_transport::oci::{Registry, Repository};
use serde_json::json;

use super::images;
use super::publish::target;
use super::signed::named;
use super::vouched::{Vouched, vouched};
use crate::catalog::{CatalogArgs, Current};
use crate::commands::blocking;
use crate::images::{From, reach};
use crate::statements::{self, Found};

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
    let images = match args.images {
        true => Some(images::present(&release, &registry, elsewhere).await?),
        false => None,
    };
    let keys = Vouchers::of_statements(&current.catalog);
    let elsewhere = args.images.then_some(elsewhere);
    let stated = stated(&registry, &release, &repository, &keys, elsewhere).await?;
    let count = release.components.len() + 1;
    let looked = images.map(|images| format!(", {images} images are there")).unwrap_or_default();
    let text = format!(
        "✔ level {}: catalog, bundle and {count} signatures are good{looked}\n  {repository}@{}{}",
        args.level,
        release.bundle.digest,
        lines(&stated)
    );
    output::print(
        format,
        &json!({ "level": args.level, "digest": release.bundle.digest, "signatures": count, "images": images, "statements": stated }),
        &text,
    )?;
    Ok(exit::DONE)
}

/// The last that statement keys say about the bundle and the components; and about images and their parts, where those are looked at.
async fn stated(
    registry: &Arc<Registry>,
    release: &Release,
    bundle: &Repository,
    keys: &Vouchers,
    images: Option<Option<&str>>,
) -> Result<Vec<Found>> {
    let named = named(release).into_iter();
    let mut subjects: Vec<_> =
        named.map(|(what, digest)| (bundle.clone(), what.to_owned(), digest)).collect();
    let images = images.filter(|_| !keys.is_empty());
    let all: BTreeSet<_> = release.images().map(|image| (image.pull_name(), image.digest)).collect();
    for (elsewhere, (name, digest)) in
        images.into_iter().flat_map(|it| all.iter().map(move |image| (it, image)))
    {
        let place = target(name, elsewhere)?;
        // Only there can the vendor have attached any.
        if place.host == bundle.host {
            let (documents, _) = reach(&From::Registry(registry, place.clone()), *digest).await?;
            subjects.extend(documents.iter().map(|it| (place.clone(), (*name).to_owned(), it.digest)));
        }
    }
    let found = statements::of_subjects(registry, subjects, keys).await?;
    Ok(statements::newest(found.into_iter().map(|(_, found)| found).collect()))
}

fn lines(found: &[Found]) -> String {
    let line = |it: &Found| {
        let (kind, about) = (printable(it.kind()), printable(&it.about));
        format!("\n  {kind} of {about}, by statement key {}", it.key.chars().take(12).collect::<String>())
    };
    found.iter().map(line).collect()
}
