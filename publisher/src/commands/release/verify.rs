//! `publisher release verify`: what a PDP would check, without a PDP.

use std::sync::Arc;

use pdp_policies::release::Release;
use pdp_policies::trust::{self, Freshness, Vouchers};
use pdp_policies::{At, Digest, Level, Line};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format};
use pdp_transport::oci::{Registry, Repository};
use serde_json::json;

use super::images;
use super::places::{found, places};
use super::signed::signatures;
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
    if let Freshness::Expired(role) = current.catalog.freshness(now) {
        return Err(Failure::new("CatalogExpired", format!("`{role}` of the catalog is past its expiry"))
            .hint("`publisher catalog refresh`, or sign the role anew")
            .exit(exit::EXPIRED));
    }
    let descriptor = current.catalog.release(&args.line, args.level)?;
    let release = &descriptor.release;
    let channel = current.catalog.channel(&args.line);
    let places = places(channel, release, args.registry.as_deref(), now)?;
    let keys = &Vouchers::of(&current.catalog);
    let found = found(&registry, &places, &release.bundle.digest).await;
    let (repository, index) = found.map_err(|nowhere| nowhere.failure)?;
    trust::bundle(&index, release)?;
    signed(&registry, &repository, "the bundle", &release.bundle.digest, keys).await?;
    for component in &release.components {
        let digest = component.artifact.digest();
        registry.manifest(&repository, &digest).await?;
        signed(&registry, &repository, component.name.as_str(), &digest, keys).await?;
    }
    tags(&registry, &repository, release).await?;
    let images = match args.images {
        true => Some(images::present(release, &registry, args.registry.as_deref()).await?),
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

async fn signed(
    registry: &Registry,
    repository: &Repository,
    what: &str,
    digest: &Digest,
    keys: &Vouchers,
) -> Result<()> {
    let bundles = signatures(registry, repository, digest).await?;
    trust::signed_artifact(what, digest, &bundles, keys)?;
    Ok(())
}

fn wrong_tag(tag: &str, digest: &Digest, found: Option<Digest>) -> Failure {
    let what = format!("tag {tag} doesn't point at {digest}");
    let failure = match found {
        Some(found) => Failure::new("TagMoved", what)
            .cause(format!("it points at {found}"))
            .hint("PDPs go by digest and are safe; find out who may write to the registry"),
        None => Failure::new("TagMissing", what)
            .cause("there is no such tag")
            .hint("PDPs go by digest and need none; a copy that was made by digest has none: copy by tag"),
    };
    failure.exit(exit::NEGATIVE)
}

/// No PDP follows tags, but people do: a moved one is worth an alarm.
async fn tags(registry: &Registry, repository: &Repository, release: &Release) -> Result<()> {
    let children =
        release.components.iter().map(|c| (format!("{}-{}", release.level, c.name), c.artifact.digest()));
    for (tag, digest) in children.chain([(release.level.to_string(), release.bundle.digest)]) {
        let found = registry.resolve_tag(repository, &tag).await?.map(|(found, _)| found);
        if found != Some(digest) {
            return Err(wrong_tag(&format!("{repository}:{tag}"), &digest, found));
        }
    }
    Ok(())
}
